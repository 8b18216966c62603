import math

import pytest
import torch


@pytest.fixture
def on_circle():
    """Build unit vectors in the plane from angles in degrees."""

    def build(*degrees: float) -> torch.Tensor:
        radians = torch.tensor(degrees, dtype=torch.float64) * math.pi / 180
        return torch.stack([radians.cos(), radians.sin()], dim=1)

    return build
