"""Which device to run on."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.errors import InputError

if TYPE_CHECKING:
    import torch

DRIVERS = ("libcuda.so.1", "nvcuda.dll")
"""NVIDIA's, on Linux and Windows: torch has no CUDA device where they cannot be loaded."""
ROCM = Path("/dev/kfd")
"""The device file of AMD's driver, whose GPUs are CUDA devices for torch."""


def choose_device(name: str) -> torch.device:
    """Turn a parameter into a device.

    Args:
        name: `auto` (CUDA when there is one), `cpu` or `cuda`.

    Raises:
        InputError: CUDA was asked for and there is none.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("device: cuda was asked for but this machine has none; use auto or cpu")
    return torch.device(name)


def is_cpu(name: str) -> bool:
    """Whether `choose_device` chooses the CPU; torch is asked only where there may be a GPU.

    Raises:
        InputError: CUDA was asked for and there is none.
    """
    if name == "cpu" or (name == "auto" and not _has_driver()):
        return True
    return choose_device(name).type == "cpu"


def _has_driver() -> bool:
    return ROCM.exists() or any(map(_can_be_loaded, DRIVERS))


def _can_be_loaded(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
