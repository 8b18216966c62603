import torch

from pipeline.core.precision import autocast_type

CPU = torch.device("cpu")


def test_precision_on_a_cpu():
    assert autocast_type("train.precision", "auto", CPU) is None
    assert autocast_type("train.precision", "fp32", CPU) is None
    assert autocast_type("train.precision", "bf16", CPU) == torch.bfloat16
