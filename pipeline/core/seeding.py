"""One place that seeds every random generator."""

import random

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch (all devices).

    One seed gives one result on one machine with one number of threads. On CUDA, sums in atomic
    order can still differ in the last bits.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
