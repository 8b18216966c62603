import pickle
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.encoders.pretrained import (
    PretrainedEncoder,
    PretrainedSettings,
    model_digest,
    weights_digest,
)


class Settings(PretrainedSettings):
    layers: int


class Encoder(PretrainedEncoder[Settings]):
    """An encoder whose model is a text in a file, and whose feature is a text's length."""

    SECTION = Settings
    FORMAT = "Encoder 1"

    def _open(self):
        return model_digest(Path(self.settings.model).read_text(), None)

    def _encode(self, texts):
        return np.array([[len(text)] * 2 for text in texts], np.float16).reshape(-1, 2)


@pytest.fixture
def model(tmp_path):
    (tmp_path / "model").write_text("weights")
    return tmp_path / "model"


@pytest.fixture
def make(model):
    def make(kind=Encoder, **changed):
        how = {"layers": 4, "input": "text", "batch_size": 1, "device": "cpu", "precision": "fp32"}
        settings = Settings(model=str(model), **how | changed)
        return kind.fit(["a"], ["a"], settings, model.parent)

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


def test_the_digest_tells_weights_apart():
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    before = weights_digest(model)
    assert weights_digest(model.to(torch.float64).to(torch.float32)) == before
    with torch.no_grad():
        model.bias[0] += 1
    assert weights_digest(model) != before
    assert weights_digest(model.to(torch.bfloat16))


def test_models_of_the_same_weights_are_told_apart_by_their_small_files(tmp_path):
    (tmp_path / "1_Pooling").mkdir()
    pooling = tmp_path / "1_Pooling" / "config.json"
    pooling.write_text('{"pooling_mode_mean_tokens": true}')
    (tmp_path / "README.md").write_text("before")
    before = model_digest("abc", str(tmp_path))
    (tmp_path / "README.md").write_text("after")
    assert model_digest("abc", str(tmp_path)) == before
    assert model_digest("abd", str(tmp_path)) != before
    pooling.write_text('{"pooling_mode_cls_token": true}')
    assert model_digest("abc", str(tmp_path)) != before


def test_models_without_a_folder_are_told_apart_by_their_version():
    assert model_digest("abc", None, "ViT-B-32") != model_digest("abc", None, "ViT-B-32-quickgelu")
