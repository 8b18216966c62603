import random

import numpy as np
import pytest
import torch

from pipeline.core.seeding import seed_everything

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def restored():
    yield
    torch.use_deterministic_algorithms(False)
    torch.utils.deterministic.fill_uninitialized_memory = True


def draws(seed):
    seed_everything(seed, CPU)
    return random.random(), np.random.rand(), torch.rand(1).item()


def test_a_seed_fixes_every_generator():
    assert draws(3) == draws(3)


def test_another_seed_changes_every_generator():
    assert all(one != other for one, other in zip(draws(3), draws(4), strict=True))


def test_threads_add_up_gradients_in_one_order():
    """Rows that repeat, as the classes of a batch do, large enough for several threads."""
    seed_everything(0, CPU)
    point_KD = torch.randn(100, 512, requires_grad=True)
    row_N, weight_ND = torch.randint(100, (512,)), torch.randn(512, 512)
    threads = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        found = set()
        for _ in range(50):
            (gradient_KD,) = torch.autograd.grad((point_KD[row_N] * weight_ND).sum(), point_KD)
            found.add(gradient_KD.numpy().tobytes())
    finally:
        torch.set_num_threads(threads)
    assert len(found) == 1


def test_operations_without_one_order_are_left_to_a_gpu():
    seed_everything(0, torch.device("cuda"))
    assert not torch.are_deterministic_algorithms_enabled()
