"""Which device to run on."""

import torch

from pipeline.core.errors import InputError


def choose_device(name: str) -> torch.device:
    """Turn a parameter into a device.

    Args:
        name: `auto` (CUDA when there is one), `cpu` or `cuda`.

    Raises:
        InputError: CUDA was asked for and there is none.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("device: cuda was asked for but this machine has none; use auto or cpu")
    return torch.device(name)
