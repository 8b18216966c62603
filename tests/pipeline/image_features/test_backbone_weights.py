import pickle
import urllib.error

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pipeline.core.errors import InputError
from pipeline.image_features.backbone_weights import downloading, load_checkpoint, random_weights


def net(seed):
    torch.manual_seed(seed)
    return nn.Linear(3, 2)


@pytest.mark.parametrize(
    ("name", "wrap"),
    [
        ("x.safetensors", None),
        ("x.pt", lambda state: state),
        ("x.pth", lambda state: {"state_dict": state, "epoch": 3}),
        ("x.bin", lambda state: {"model": {f"module.{key}": v for key, v in state.items()}}),
    ],
)
def test_checkpoints_of_all_kinds_are_read(tmp_path, name, wrap):
    source, target = net(1), net(2)
    if wrap is None:
        save_file(source.state_dict(), tmp_path / name)
    else:
        torch.save(wrap(source.state_dict()), tmp_path / name)
    load_checkpoint(target, str(tmp_path / name))
    assert torch.equal(source.weight, target.weight)


def test_what_is_no_fitting_checkpoint_is_one_line(tmp_path):
    save_file({"other": torch.ones(1)}, tmp_path / "other.safetensors")
    (tmp_path / "text.safetensors").write_text("404")
    (tmp_path / "text.pt").write_text("404")
    torch.save([1, 2], tmp_path / "list.pt")
    (tmp_path / "code.pt").write_bytes(pickle.dumps(nn.Linear))
    torch.save({"weight": nn.Linear(1, 1)}, tmp_path / "module.pt")
    for name, message in [
        ("gone.pt", "not found; use default, none, or the path"),
        ("other.safetensors", "does not fit the backbone"),
        ("text.safetensors", "is no checkpoint"),
        ("text.pt", "is no checkpoint|more than tensors"),
        ("list.pt", "holds no state dict"),
        ("code.pt", "is no checkpoint|more than tensors"),
        ("module.pt", "holds more than tensors"),
    ]:
        with pytest.raises(InputError, match=rf"image\.weights: .*{name} .*({message})") as caught:
            load_checkpoint(net(0), str(tmp_path / name))
        assert "\n" not in str(caught.value)


def test_random_weights_leave_the_callers_random_numbers_alone():
    torch.manual_seed(9)
    before = torch.random.get_rng_state()
    first, second = (random_weights(lambda: nn.Linear(3, 2)) for _ in range(2))
    assert torch.equal(first.weight, second.weight)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_no_network_is_one_line_that_says_what_to_do():
    with (
        pytest.raises(
            InputError, match=r"timm/x: its weights cannot be loaded .*no route"
        ) as caught,
        downloading("timm/x"),
    ):
        raise urllib.error.URLError("no route\nto host")
    assert "\n" not in str(caught.value)
    assert "set image.weights to a file" in str(caught.value)
