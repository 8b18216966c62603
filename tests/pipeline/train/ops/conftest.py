from typing import NamedTuple

import pytest
import torch
from torch import Tensor
from torch.nn import functional


class Case(NamedTuple):
    embedding: Tensor
    label: Tensor
    adjacency: Tensor


@pytest.fixture
def make_case():
    """Build embeddings that cluster by class, so that pairs fall on both sides of a margin."""

    def build(count: int, dim: int, classes: int, dtype: torch.dtype = torch.float32) -> Case:
        generator = torch.Generator().manual_seed(1000 * count + dim)
        label = torch.randint(classes, (count,), generator=generator)
        centre = torch.randn(classes, dim, generator=generator) + 0.3
        noise = torch.randn(count, dim, generator=generator)
        embedding = functional.normalize(centre[label] + noise, dim=1)
        class_point = functional.normalize(
            torch.randn(classes, 6, generator=generator) + 0.4, dim=1
        )
        adjacency = 1 - class_point @ class_point.T
        adjacency = ((adjacency + adjacency.T) / 2).fill_diagonal_(0)
        return Case(embedding.to(dtype), label, adjacency.to(dtype))

    return build


@pytest.fixture
def assert_close():
    """Compare (loss, gradient) with the definition's; one place for all tolerances.

    The gradient's error is taken relative to the whole gradient, as single entries may be near 0.
    """
    loss_tolerance = {"fp32": 2e-6, "bf16": 1e-2}
    gradient_tolerance = {"fp32": 1e-6, "bf16": 6e-2}

    def check(result, expected, precision: str = "fp32") -> None:
        (loss, gradient), (expected_loss, expected_gradient) = result, expected
        assert loss.shape == ()
        # The floors are what a float32 rounding error of 1e-7 in every distance amounts to.
        allowed = loss_tolerance[precision] * expected_loss.item() + 1e-13
        assert abs(loss.item() - expected_loss.item()) <= allowed
        error = (gradient.double() - expected_gradient.double()).norm().item()
        scale = expected_gradient.double().norm().item()
        assert error <= gradient_tolerance[precision] * scale + 1e-6 / len(gradient)

    return check


@pytest.fixture
def definition():
    """Loss and gradient of the equations, in float64, written here once more."""

    def compute(case: Case, margin: float, relaxation: str) -> tuple[Tensor, Tensor]:
        embedding = case.embedding.double().requires_grad_()
        target = case.adjacency.double()[case.label][:, case.label]
        # Which pairs count is decided in the case's own precision, as a float32 distance may
        # round to the other side of the margin.
        distance = 1 - embedding @ embedding.T
        near = (1 - case.embedding @ case.embedding.T) < margin
        residual = distance - target
        far_class = case.adjacency[case.label][:, case.label] >= margin
        if relaxation == "paper":
            residual = residual * (near & ~far_class)
        elif relaxation == "hinge":
            residual = torch.where(far_class, (distance - margin) * near, residual)
        loss = residual.square().mean()
        (gradient,) = torch.autograd.grad(loss, embedding)
        return loss.detach(), gradient

    return compute
