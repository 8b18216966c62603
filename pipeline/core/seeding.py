"""One place for what makes one seed give one result."""

import random

import numpy as np
import torch


def seed_everything(seed: int, device: torch.device) -> None:
    """Seed Python, NumPy and torch (all devices), and have the processor add up in one order.

    One seed gives one result on one machine with one number of threads. Without the latter the
    gradient of x[rows], where rows repeat, is added up as threads get to it, which also takes many
    times as long. On CUDA, sums in atomic order can still differ in the last bits.
    """
    # Not an error: an operation of a user's own objective may have no other order.
    # Torch's other function for it imports the compiler.
    torch.set_deterministic_debug_mode("warn" if device.type == "cpu" else "default")
    setattr(torch.utils.deterministic, "fill_uninitialized_memory", False)  # noqa: B010
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
