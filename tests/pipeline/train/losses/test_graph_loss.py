import math

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from pipeline.train.losses.graph_loss import _fastest_kernel, graph_loss

KERNELS = ["auto", "reference", "tiled"]
RELAXATIONS = ["none", "paper", "hinge"]


def naive_graph_loss(vectors, labels, adjacency, margin, relaxation):
    total = 0.0
    for m, u in enumerate(vectors):
        for n, v in enumerate(vectors):
            d = 1 - sum(a * b for a, b in zip(u, v, strict=True))
            target = adjacency[labels[m]][labels[n]]
            if relaxation == "none":
                total += (d - target) ** 2
            elif relaxation == "paper":
                total += (d - target) ** 2 if target < margin and d < margin else 0.0
            elif target < margin:
                total += (d - target) ** 2
            elif d < margin:
                total += (margin - d) ** 2
    return total / len(vectors) ** 2


# Three items at 0, 60 and 90 degrees, the first two of class 0.
# Distances: d01 = 1 - cos 60 = 0.5, d02 = 1 - cos 90 = 1, d12 = 1 - cos 30 = 0.1339746.
# With A01 = 0.4 and margin 0.9 the squares are
#   (0, 1): (0.5 - 0)^2 = 0.25
#   (0, 2): (1 - 0.4)^2 = 0.36, dropped by the paper's relaxation as d >= margin
#   (1, 2): (0.1339746 - 0.4)^2 = 0.0707695
# and each counts twice, over 3^2.
# With A01 = 0.95 the classes are at least the margin apart:
#   none:  0.25, (1 - 0.95)^2 = 0.0025, (0.1339746 - 0.95)^2 = 0.6658975
#   paper: 0.25 alone
#   hinge: 0.25, 0 as d02 >= margin, (0.9 - 0.1339746)^2 = 0.5867949
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(
    ("target", "relaxation", "square_sum"),
    [
        (0.4, "none", 0.25 + 0.36 + 0.0707695),
        (0.4, "paper", 0.25 + 0.0707695),
        (0.4, "hinge", 0.25 + 0.36 + 0.0707695),
        (0.95, "none", 0.25 + 0.0025 + 0.6658975),
        (0.95, "paper", 0.25),
        (0.95, "hinge", 0.25 + 0.5867949),
    ],
)
def test_worked_by_hand(on_circle, kernel, target, relaxation, square_sum):
    loss = graph_loss(
        on_circle(0, 60, 90),
        torch.tensor([0, 0, 1]),
        torch.tensor([[0.0, target], [target, 0.0]]),
        margin=0.9,
        relaxation=relaxation,
        kernel=kernel,
    )
    assert loss.item() == pytest.approx(2 * square_sum / 9, abs=1e-7)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("relaxation", RELAXATIONS)
@pytest.mark.parametrize("margin", [0.3, 0.9, 2.0])
def test_equals_a_loop_over_pairs(on_circle, kernel, relaxation, margin):
    embedding = on_circle(3, 17, 41, 88, 130, 171, 200, 266, 301)
    labels = [0, 1, 2, 0, 1, 2, 2, 0, 3]
    class_point = on_circle(0, 35, 80, 200)
    adjacency = 1 - class_point @ class_point.T
    loss = graph_loss(
        embedding,
        torch.tensor(labels),
        adjacency,
        margin=margin,
        relaxation=relaxation,
        kernel=kernel,
    )
    expected = naive_graph_loss(embedding.tolist(), labels, adjacency.tolist(), margin, relaxation)
    assert loss.item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("relaxation", RELAXATIONS)
def test_zero_where_the_embedding_realises_the_graph(on_circle, kernel, relaxation):
    class_point = on_circle(0, 25, 50)
    label = torch.tensor([0, 1, 2, 1, 0])
    embedding = class_point[label].requires_grad_()
    loss = graph_loss(
        embedding,
        label,
        1 - class_point @ class_point.T,
        margin=0.9,
        relaxation=relaxation,
        kernel=kernel,
    )
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-15)
    assert embedding.grad.abs().max().item() == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_pair_exactly_at_the_margin_is_dropped(kernel):
    # Orthogonal vectors are at distance 1 without rounding: not below a margin of 1.
    label = torch.tensor([0, 1])
    adjacency = torch.tensor([[0.0, 0.25], [0.25, 0.0]])
    at = {"label_N": label, "adjacency_KK": adjacency, "kernel": kernel}
    assert graph_loss(torch.eye(2), margin=1.0, **at).item() == 0
    # Just above the margin's other side it counts: 2 * (1 - 0.25)^2 / 4.
    assert graph_loss(torch.eye(2), margin=1.001, **at).item() == pytest.approx(0.28125)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_class_pair_exactly_at_the_margin_is_far(kernel):
    # u and v are at distance 1 - 0.75 = 0.25, their classes at 0.5, which is the margin.
    embedding = torch.tensor([[1.0, 0.0], [0.75, math.sqrt(1 - 0.75**2)]])
    at = {
        "label_N": torch.tensor([0, 1]),
        "adjacency_KK": torch.tensor([[0.0, 0.5], [0.5, 0.0]]),
        "margin": 0.5,
        "kernel": kernel,
    }
    assert graph_loss(embedding, relaxation="paper", **at).item() == pytest.approx(0, abs=1e-12)
    # hinge: both orders of the pair give (0.5 - 0.25)^2, over 2^2
    assert graph_loss(embedding, relaxation="hinge", **at).item() == pytest.approx(0.03125)
    # and at distance 1, farther than asked for, there is nothing to pull together
    assert graph_loss(torch.eye(2), relaxation="hinge", **at).item() == 0


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_dropped_pair_gives_no_gradient(on_circle, kernel):
    # Items 0 and 1 are of one class and near; item 2 is beyond the margin of both.
    embedding = on_circle(0, 20, 180).float().requires_grad_()
    graph_loss(
        embedding,
        torch.tensor([0, 0, 1]),
        torch.tensor([[0.0, 0.4], [0.4, 0.0]]),
        margin=0.9,
        kernel=kernel,
    ).backward()
    # Its pair with itself is at distance 0 up to rounding.
    assert embedding.grad[2].abs().max() < 1e-6
    assert embedding.grad[0].abs().max() > 1e-3


def test_paper_gives_far_classes_no_push_and_hinge_does(on_circle):
    label = torch.tensor([0, 1])
    far_classes = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    for relaxation, pushes in (("paper", False), ("hinge", True)):
        embedding = on_circle(0, 10).requires_grad_()
        graph_loss(embedding, label, far_classes, margin=0.9, relaxation=relaxation).backward()
        # Minus the gradient turns the first vector away from the second, which is above it.
        assert bool(embedding.grad[0, 1] > 1e-3) is pushes


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("relaxation", RELAXATIONS)
def test_a_nan_reaches_the_loss(kernel, relaxation):
    embedding = torch.eye(3)
    embedding[1] = math.nan
    loss = graph_loss(
        embedding,
        torch.tensor([0, 1, 1]),
        1 - torch.eye(2),
        margin=0.9,
        relaxation=relaxation,
        kernel=kernel,
    )
    assert loss.isnan()


@pytest.mark.parametrize("kernel", KERNELS)
def test_half_precision_and_autocast_are_computed_in_float32(on_circle, kernel):
    embedding = on_circle(0, 20, 50, 65).bfloat16()
    arguments = (torch.tensor([0, 1, 2, 0]), 1 - torch.eye(3))
    expected = graph_loss(embedding.float(), *arguments, margin=1.5, kernel=kernel)
    leaf = embedding.clone().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = graph_loss(leaf, *arguments, margin=1.5, kernel=kernel)
    loss.backward()
    assert loss.dtype == torch.float32
    assert torch.equal(loss, expected)
    assert leaf.grad.dtype == torch.bfloat16


@pytest.mark.parametrize("relaxation", RELAXATIONS)
@pytest.mark.parametrize("count", [6, 40])
def test_auto_agrees_with_the_definition_below_and_above_the_dimension(relaxation, count):
    generator = torch.Generator().manual_seed(count)
    embedding = torch.randn(count, 16, generator=generator, dtype=torch.float64)
    embedding = torch.nn.functional.normalize(embedding, dim=1)
    label = torch.randint(4, (count,), generator=generator)
    adjacency = torch.tensor(
        [[0.0, 0.2, 0.7, 1.1], [0.2, 0.0, 0.8, 1.0], [0.7, 0.8, 0.0, 0.3], [1.1, 1.0, 0.3, 0.0]]
    )
    results = []
    for kernel in ("auto", "reference"):
        leaf = embedding.clone().requires_grad_()
        loss = graph_loss(leaf, label, adjacency, margin=0.9, relaxation=relaxation, kernel=kernel)
        loss.backward()
        results.append((loss.detach(), leaf.grad))
    torch.testing.assert_close(results[0], results[1])


@pytest.mark.parametrize("relaxation", RELAXATIONS)
def test_auto_takes_no_kernel_that_has_not_run_on_a_gpu(relaxation):
    # There is no row of Triton's in benchmarks/results.
    with FakeTensorMode():
        embedding_ND = torch.empty(64, 128, device="cuda")
    assert _fastest_kernel(embedding_ND, 3, relaxation) == "tiled"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"relaxation": "some"}, "relaxation 'some' is not one of none, paper, hinge"),
        ({"kernel": "fast"}, "kernel 'fast' is not one of auto, reference, tiled, triton"),
        ({"precision": "fp8"}, "precision 'fp8' is not one of fp32, bf16"),
        ({"kernel": "reference", "precision": "bf16"}, "'reference' has precision 'fp32' only"),
        ({"label_N": torch.tensor([0])}, r"\(2, 2\), \(1,\), \(2, 2\)"),
        ({"adjacency_KK": torch.zeros(2, 3)}, r"\(2, 2\), \(2,\), \(2, 3\)"),
        *(
            ({"label_N": torch.tensor([0, label]), "kernel": kernel}, r"labels .* in \[0, 2\), got")
            for label in (-1, 2)
            for kernel in KERNELS
        ),
        ({"embedding_ND": torch.zeros(0, 2), "label_N": torch.zeros(0)}, "N >= 1"),
    ],
)
def test_misuse_is_refused(changed, message):
    arguments = {
        "embedding_ND": torch.eye(2),
        "label_N": torch.tensor([0, 1]),
        "adjacency_KK": 1 - torch.eye(2),
        "margin": 0.9,
    }
    with pytest.raises(ValueError, match=message):
        graph_loss(**(arguments | changed))
