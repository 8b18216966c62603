import pytest
import torch

from pipeline.errors import InputError
from pipeline.text.saved_settings import (
    check_weights,
    load_settings,
    save_settings,
    weights_digest,
)


def test_settings_come_back(tmp_path):
    save_settings(tmp_path, {"model": "x", "layers": 4}, "abc")
    assert load_settings(tmp_path) == ({"model": "x", "layers": 4}, "abc")


@pytest.mark.parametrize("content", ["{}", "[]", '{"settings": 3, "weights": "a"}', "no"])
def test_a_damaged_file_is_refused(tmp_path, content):
    (tmp_path / "encoder.json").write_text(content)
    with pytest.raises(InputError, match=r"encoder\.json"):
        load_settings(tmp_path)


def test_the_digest_tells_weights_apart():
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    before = weights_digest(model)
    assert weights_digest(model.to(torch.float64).to(torch.float32)) == before
    with torch.no_grad():
        model.bias[0] += 1
    assert weights_digest(model) != before
    assert weights_digest(model.to(torch.bfloat16))


def test_other_weights_are_refused(tmp_path):
    check_weights(tmp_path, "x", "same", "same")
    with pytest.raises(InputError, match="text model x now has other weights"):
        check_weights(tmp_path, "x", "one", "other")
