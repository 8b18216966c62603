import math
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.autograd.functional import vjp
from torch.nn import functional

from pipeline.features.graph_file import SemanticGraph
from pipeline.features.joined import index_features
from pipeline.train.data.train_and_val import load_train_and_val
from pipeline.train.losses.graph_loss import graph_loss
from pipeline.train.objective import objective_of
from tests.feature_tables import write_tables
from tests.shipped import shipped

# The classes a and b share the first of two levels.
LEVEL_KL = torch.tensor([[0, 0], [0, 1], [1, 2]])
PSI = functional.normalize(torch.randn(3, 8, generator=torch.Generator().manual_seed(5)), dim=1)


@pytest.fixture
def make_items(tmp_path):
    """Write a catalogue, half of it for training, and load it; `max_bytes` decides how."""

    def build(count: int, *, max_bytes: int = 10**9, **changed):
        folder = tmp_path / f"tables-{count}-{max_bytes}"
        index = index_features(**write_tables(folder, count, **changed))
        return load_train_and_val(index, torch.device("cpu"), max_bytes, 0)

    return build


@pytest.fixture
def on_circle():
    """Build unit vectors in the plane from angles in degrees."""

    def build(*degrees: float) -> torch.Tensor:
        radians = torch.tensor(degrees, dtype=torch.float64) * math.pi / 180
        return torch.stack([radians.cos(), radians.sin()], dim=1)

    return build


@pytest.fixture
def make_objective():
    """Build an objective over three classes by its name; keywords change section `loss`."""

    def build(name, *, kernel="reference", membership_KL=None, count_K=None, **changed):
        weights = {"alpha": 1.5, "beta": 2.0, "gamma": 0.5, "delta": 0.7, "objective": name}
        loss = shipped("loss", **weights | changed)
        distance_KK = (1 - PSI @ PSI.T).numpy().astype(np.float32)
        graph = SemanticGraph(["a", "b", "c"], distance_KK, 3 * PSI.numpy())
        machine = shipped("machine", kernel=kernel)
        return objective_of(loss)(loss, machine, graph, LEVEL_KL, membership_KL, count_K)

    return build


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


@pytest.fixture(scope="session")
def interpreter():
    """Run functions in a process in which Triton interprets its kernels on the CPU.

    Triton decides that when it is first imported, so it cannot be this process.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRITON_INTERPRET", "1")
        pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        pool.submit(torch.set_num_threads, 1).result()
    with pool:
        yield lambda function, *arguments: pool.submit(function, *arguments).result()


@pytest.fixture
def run(interpreter):
    """Loss and gradient of the public function with a kernel; Triton's in its interpreter."""

    def compute(kernel, case, margin=0.9, relaxation="paper", precision="fp32", upstream=1.0):
        embedding, label, adjacency = case
        loss = partial(graph_loss, label_N=label, adjacency_KK=adjacency, margin=margin)
        loss = partial(loss, relaxation=relaxation, kernel=kernel, precision=precision)
        scale = torch.tensor(upstream, dtype=torch.promote_types(embedding.dtype, torch.float32))
        if kernel == "triton":
            return interpreter(vjp, loss, embedding, scale)
        return vjp(loss, embedding, scale)

    return compute
