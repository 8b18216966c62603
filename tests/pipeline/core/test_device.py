import pytest
import torch

from pipeline.core import device as module
from pipeline.core.device import choose_device, is_cpu
from pipeline.core.errors import InputError
from tests.fresh_process import modules_after


@pytest.mark.parametrize("has_cuda", [False, True])
def test_auto_takes_cuda_where_there_is_one(monkeypatch, has_cuda):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_cuda)
    assert choose_device("auto").type == ("cuda" if has_cuda else "cpu")
    assert choose_device("cpu").type == "cpu"


def test_cuda_that_is_not_there_is_refused_with_the_way_out(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"device: cuda was asked for .* use auto or cpu"):
        choose_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("cuda").type == "cuda"


@pytest.mark.parametrize("has_cuda", [False, True])
def test_where_there_may_be_a_gpu_torch_is_asked(monkeypatch, has_cuda):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_cuda)
    # A library that every Python process can load.
    monkeypatch.setattr(module, "DRIVERS", (None,))
    assert is_cpu("auto") is not has_cuda
    monkeypatch.setattr(module, "DRIVERS", ("no-such-library.so",))
    monkeypatch.setattr(module, "ROCM", module.Path("no such device"))
    assert is_cpu("auto")
    assert is_cpu("cpu")


def test_cuda_that_is_not_there_is_refused_wherever_it_is_asked_for(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="this machine has none"):
        is_cpu("cuda")


def test_torch_is_not_imported_to_say_cpu():
    code = """
from pipeline.core import device
device.DRIVERS, device.ROCM = (), device.Path("no such device")
assert device.is_cpu("auto") and device.is_cpu("cpu")
"""
    assert "torch" not in modules_after(code)
