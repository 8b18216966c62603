import random

import numpy as np
import torch

from pipeline.core.seeding import seed_everything


def draws(seed):
    seed_everything(seed)
    return random.random(), np.random.rand(), torch.rand(1).item()


def test_a_seed_fixes_every_generator():
    assert draws(3) == draws(3)


def test_another_seed_changes_every_generator():
    assert all(one != other for one, other in zip(draws(3), draws(4), strict=True))
