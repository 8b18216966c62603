import pickle
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.core.file_digest import file_digest
from pipeline.encoders.model_digest import model_digest
from pipeline.encoders.pretrained import PretrainedEncoder, PretrainedSettings


class Settings(PretrainedSettings):
    layers: int


class Encoder(PretrainedEncoder[Settings]):
    """An encoder whose model is a text in a file, and whose feature is a text's length."""

    SECTION = Settings
    FORMAT = "Encoder 1"
    LIBRARY = "torch"

    def _open(self):
        return model_digest(Path(self.settings.model).read_text(), None)

    def _encode(self, texts):
        return np.array([[len(text)] * 2 for text in texts], np.float16).reshape(-1, 2)

    def _write_network(self, folder):
        return None

    @classmethod
    def _told(cls, settings):
        return None


class Told(Encoder):
    """The same, which can be told without being opened."""

    @classmethod
    def _told(cls, settings):
        return file_digest(Path(settings.model))


@pytest.fixture
def model(tmp_path):
    (tmp_path / "model").write_text("weights")
    return tmp_path / "model"


@pytest.fixture
def make(model):
    def make(kind=Encoder, **changed):
        """The encoder as a stage makes it; what is kept lies beside the model."""
        how = {"layers": 4, "input": "text", "batch_size": 1, "device": "cpu", "precision": "fp32"}
        settings = Settings(model=str(model), **how | changed)
        return kind.fit(["a"], ["a"], settings, model.parent / "cache")

    return make


def test_settings_come_back_without_those_of_the_machine(make, tmp_path):
    make(batch_size=512).save(tmp_path)
    loaded = Encoder.load(tmp_path)
    changed = {"batch_size": 32, "device": "auto"}
    assert loaded.settings == make().settings.model_copy(update=changed)


def test_another_model_of_the_same_name_is_refused(make, model, tmp_path):
    make().save(tmp_path)
    model.write_text("other weights")
    message = f"text model {model} is not the one that this was made with"
    with pytest.raises(InputError, match=message):
        Encoder.load(tmp_path)


def test_where_there_is_a_network_no_model_is_opened(make, model):
    settings = make().settings.model_copy(update={"device": "cuda"})
    model.unlink()
    network = SimpleNamespace(encode=lambda texts, batch_size: np.ones((len(texts), 3)))
    encoder = Encoder(settings, network, "digest")
    assert encoder.encode(["a", ""]).tolist() == [[1, 1, 1], [0, 0, 0]]
    assert encoder.fingerprint.startswith("Encoder 1 digest None ")


def test_an_encoder_travels_as_what_it_is_made_of_and_finds_the_same_model(make, model):
    maker = make(device="auto", precision="auto", batch_size=7).maker()
    assert pickle.dumps(maker)
    arrived = maker()
    # What `auto` stands for is settled where it has been sent from.
    expected = make(batch_size=7)
    assert arrived.settings.device in ("cpu", "cuda")
    assert arrived.settings.precision in ("fp32", "bf16")
    assert arrived.settings.batch_size == 7
    assert arrived.fingerprint.split(" ")[:3] == expected.fingerprint.split(" ")[:3]
    model.write_text("other weights")
    with pytest.raises(InputError, match=r"not the one .*; put the same one on every node"):
        maker()


def test_features_depend_on_the_model_its_settings_and_the_code(make, model):
    class Changed(Encoder):
        FORMAT = "Encoder 2"

    before = make().fingerprint
    assert make(batch_size=7, input="clean_text").fingerprint == before
    assert make(layers=3).fingerprint != before
    assert make(Changed).fingerprint != before
    model.write_text("other weights")
    assert make().fingerprint != before


def test_all_of_a_text_is_seen_and_an_empty_one_is_a_row_of_zeros(make):
    assert make().seen(["Red", "red"]) == [b"Red", b"red"]
    found = make().encode(["a", " ", "bb", ""])
    assert found.tolist() == [[1, 1], [0, 0], [2, 2], [0, 0]]
    assert found.dtype == np.float32
    assert make().encode([]).shape == (0, 2)


@pytest.mark.parametrize("content", ["{}", "[]", '{"settings": 3, "model_digest": "a"}', "no"])
def test_a_damaged_file_is_refused(tmp_path, content):
    (tmp_path / "encoder.json").write_text(content)
    with pytest.raises(InputError, match=r"encoder\.json"):
        Encoder.load(tmp_path)


def test_a_model_that_cannot_be_exported_is_tried_once(make, model, monkeypatch):
    tried = []
    monkeypatch.setattr(Told, "_write_network", lambda self, folder: tried.append(folder))
    for _ in range(2):
        assert make(Told).network is None
    assert len(tried) == 1
    [entry] = (model.parent / "cache").iterdir()
    assert (entry / "recipe.txt").read_text() == f"network of test_pretrained {model}\n"
    # Another model, and settings that the network depends on, have entries of their own.
    model.write_text("other weights")
    make(Told)
    make(Told, layers=3)
    make(Told, batch_size=3, input="clean_text")
    assert len(tried) == 3


def test_what_cannot_be_told_without_its_library_is_found_once_it_is_loaded(make, model):
    make()
    make()
    assert len(list((model.parent / "cache").iterdir())) == 1


def test_a_damaged_entry_is_made_anew(make, model):
    before = make(Told).fingerprint
    [entry] = (model.parent / "cache").iterdir()
    for content in ("{", "{}", '{"network": 3, "model_digest": "a"}'):
        (entry / "encoder.json").write_text(content)
        assert make(Told).fingerprint == before
        assert "model_digest" in (entry / "encoder.json").read_text()
