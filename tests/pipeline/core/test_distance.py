import math

import pytest
import torch

from pipeline.core.distance import paired, pairwise


def on_circle(*degrees):
    radians = torch.tensor(degrees, dtype=torch.float64).deg2rad()
    return torch.stack([radians.cos(), radians.sin()], dim=1)


def test_pairwise_is_one_minus_the_cosine_of_the_angle():
    x, y = on_circle(0, 90), on_circle(0, 60, 180)
    # Angles from 0: 0, 60, 180 degrees; from 90: 90, 30, 90 degrees.
    expected = [[0.0, 0.5, 2.0], [1.0, 1 - math.sqrt(3) / 2, 1.0]]
    assert torch.allclose(pairwise(x, y), torch.tensor(expected, dtype=torch.float64), atol=1e-12)


def test_paired_is_the_diagonal_of_pairwise():
    x, y = on_circle(0, 10, 200, 359), on_circle(0, 100, 20, 1)
    assert paired(x, y).tolist() == pytest.approx(
        [1 - math.cos(math.radians(angle)) for angle in (0, 90, 180, 2)], abs=1e-12
    )
    assert torch.allclose(paired(x, y), pairwise(x, y).diagonal(), atol=1e-15)
