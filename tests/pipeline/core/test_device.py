import pytest
import torch

from pipeline.core.device import choose_device
from pipeline.core.errors import InputError


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
