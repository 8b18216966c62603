from pathlib import Path

import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.encoders.saved_settings import PretrainedEncoder, model_digest, weights_digest


class Encoder(PretrainedEncoder):
    """An encoder whose model is a text in a file."""

    FORMAT = "1"

    def __init__(self, *, model, layers, batch_size, device):
        self._settings = {
            "model": model,
            "layers": layers,
            "batch_size": batch_size,
            "device": device,
        }
        self._digest = model_digest(Path(model).read_text(), None)
        self._autocast = None


@pytest.fixture
def model(tmp_path):
    (tmp_path / "model").write_text("weights")
    return tmp_path / "model"


def test_settings_come_back_without_those_of_the_machine(tmp_path, model):
    settings = {"model": str(model), "layers": 4}
    Encoder.fit(["a"], ["a"], **settings, batch_size=512, device="cuda").save(tmp_path)
    loaded = Encoder.load(tmp_path)
    assert loaded._settings == {**settings, "batch_size": 32, "device": "auto"}


def test_another_model_of_the_same_name_is_refused(tmp_path, model):
    Encoder(model=str(model), layers=4, batch_size=1, device="cpu").save(tmp_path)
    model.write_text("other weights")
    message = f"text model {model} is not the one that this was made with"
    with pytest.raises(InputError, match=message):
        Encoder.load(tmp_path)


def test_features_depend_on_the_model_its_settings_and_the_code(model):
    def fingerprint(kind=Encoder, layers=4, device="cpu"):
        return kind(model=str(model), layers=layers, batch_size=1, device=device).fingerprint

    class Changed(Encoder):
        FORMAT = "2"

    Changed.__name__ = "Encoder"
    before = fingerprint()
    assert fingerprint(device="cuda") == before
    assert fingerprint(layers=3) != before
    assert fingerprint(Changed) != before
    model.write_text("other weights")
    assert fingerprint() != before


def test_all_of_a_text_is_seen(model):
    encoder = Encoder(model=str(model), layers=4, batch_size=1, device="cpu")
    assert encoder.seen(["Red", "red"]) == [b"Red", b"red"]


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
