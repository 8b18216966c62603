"""All kernels of the graph loss against one definition; what one has alone is tested in ops/."""

import math
from functools import partial

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd.functional import vjp

from pipeline.train.losses import graph_loss as module
from pipeline.train.losses.graph_loss import _fastest_kernel, graph_loss
from pipeline.train.world import ALONE, World

# "auto" takes the closed form for relaxation "none" where that is cheaper.
KERNELS = ["auto", "reference", "tiled", "triton"]
RELAXATIONS = ["none", "paper", "hinge"]
every_kernel = pytest.mark.parametrize("kernel", KERNELS)
every_relaxation = pytest.mark.parametrize("relaxation", RELAXATIONS)


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


@pytest.fixture
def between(on_circle):
    """Items at angles in degrees, of classes whose distances are given, as a kernel takes them."""

    def build(kernel, angles, labels, adjacency):
        # Triton's kernel knows float32 alone.
        dtype = torch.float32 if kernel == "triton" else torch.float64
        adjacency = torch.as_tensor(adjacency, dtype=dtype)
        return on_circle(*angles).to(dtype), torch.tensor(labels), adjacency

    return build


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
@every_kernel
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
def test_worked_by_hand(run, between, kernel, target, relaxation, square_sum):
    case = between(kernel, (0, 60, 90), [0, 0, 1], [[0.0, target], [target, 0.0]])
    loss, _ = run(kernel, case, relaxation=relaxation)
    assert loss.item() == pytest.approx(2 * square_sum / 9, abs=1e-7)


@every_kernel
@every_relaxation
@pytest.mark.parametrize("margin", [0.3, 0.9, 2.0])
def test_equals_a_loop_over_pairs(run, on_circle, between, kernel, relaxation, margin):
    point = on_circle(0, 35, 80, 200)
    angles, labels = (3, 17, 41, 88, 130, 171, 200, 266, 301), [0, 1, 2, 0, 1, 2, 2, 0, 3]
    case = between(kernel, angles, labels, 1 - point @ point.T)
    vectors, _, adjacency = (tensor.tolist() for tensor in case)
    expected = naive_graph_loss(vectors, labels, adjacency, margin, relaxation)
    rounding = 1e-6 if kernel == "triton" else 1e-12
    loss, _ = run(kernel, case, margin, relaxation)
    assert loss.item() == pytest.approx(expected, abs=rounding)


# Below, at and beside multiples of a block's rows: 256 of the tiled kernel, 64 of Triton's, which
# its interpreter makes slow. The last has a gradient of several slices.
SIZES = {
    "auto": [(1, 3, 1), (101, 33, 40), (300, 8, 300), (900, 16, 1)],
    "tiled": [(1, 3, 1), (2, 5, 2), (41, 7, 5), (256, 16, 9), (257, 33, 40), (513, 20, 3)],
    "triton": [(1, 3, 1), (41, 20, 5), (64, 16, 64), (101, 70, 7), (41, 300, 5)],
}


@every_relaxation
@pytest.mark.parametrize(
    ("kernel", "size"), [(kernel, size) for kernel, sizes in SIZES.items() for size in sizes]
)
def test_value_and_gradient_are_those_of_the_definition(
    run, make_case, definition, assert_close, kernel, size, relaxation
):
    case = make_case(*size)
    found = run(kernel, case, relaxation=relaxation)
    assert_close(found, definition(case, 0.9, relaxation))


@every_relaxation
@pytest.mark.parametrize(
    ("kernel", "size", "margin"),
    [
        *(("tiled", (300, 8, 7), margin) for margin in (1e-9, 0.2, 1.3, 3.0)),
        ("triton", (41, 5, 1), 2.5),
    ],
)
def test_no_pair_to_every_pair_inside_the_margin(
    run, make_case, definition, assert_close, kernel, size, margin, relaxation
):
    case = make_case(*size)
    assert_close(run(kernel, case, margin, relaxation), definition(case, margin, relaxation))


@every_relaxation
@pytest.mark.parametrize(("kernel", "size"), [("tiled", (400, 64, 12)), ("triton", (101, 33, 7))])
def test_bfloat16_products(run, make_case, definition, assert_close, kernel, size, relaxation):
    case = make_case(*size)
    loss, gradient = run(kernel, case, relaxation=relaxation, precision="bf16")
    assert loss.dtype == gradient.dtype == torch.float32
    assert_close((loss, gradient), definition(case, 0.9, relaxation), "bf16")


@every_relaxation
@pytest.mark.parametrize("kernel", ["auto", "tiled"])
def test_gradient_is_the_slope_of_the_loss(make_case, kernel, relaxation):
    embedding, *graph = make_case(9, 5, 3, torch.float64)
    loss = partial(graph_loss, margin=0.9, relaxation=relaxation, kernel=kernel)
    leaf = embedding.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda embedding: loss(embedding, *graph), (leaf,))


@every_kernel
def test_the_upstream_gradient_scales_the_gradient(run, make_case, kernel):
    case = make_case(41, 20, 5)
    (loss, gradient), (same_loss, doubled) = run(kernel, case), run(kernel, case, upstream=2.0)
    assert torch.equal(same_loss, loss)
    assert torch.equal(doubled, 2 * gradient)


@every_kernel
def test_strided_input_gives_the_same_bits(run, make_case, kernel):
    case = make_case(70, 20, 5)
    strided = case._replace(
        embedding=case.embedding.T.contiguous().T, adjacency=case.adjacency.T.contiguous().T
    )
    assert not strided.embedding.is_contiguous()
    (loss, gradient), (again, gradient_again) = run(kernel, case), run(kernel, strided)
    if kernel in ("tiled", "triton"):
        assert torch.equal(loss, again)
        assert torch.equal(gradient, gradient_again)
    torch.testing.assert_close((loss, gradient), (again, gradient_again))


@every_kernel
@every_relaxation
def test_zero_where_the_embedding_realises_the_graph(run, on_circle, between, kernel, relaxation):
    point, labels = on_circle(0, 25, 50), [0, 1, 2, 1, 0]
    case = between(kernel, (0, 25, 50, 25, 0), labels, 1 - point @ point.T)
    loss, gradient = run(kernel, case, relaxation=relaxation)
    rounding = 1e-6 if kernel == "triton" else 1e-15
    assert loss.item() == pytest.approx(0, abs=rounding)
    assert gradient.abs().max().item() == pytest.approx(0, abs=rounding)


@every_kernel
def test_no_active_pair_gives_zero_and_no_gradient(run, kernel):
    # Opposite vectors of one class; a pair with itself is at distance 0, its class distance.
    case = torch.tensor([[1.0, 0.0], [-1.0, 0.0]]), torch.tensor([0, 0]), torch.zeros(1, 1)
    loss, gradient = run(kernel, case)
    assert loss.item() == 0
    assert torch.equal(gradient, torch.zeros(2, 2))


@every_kernel
def test_a_pair_exactly_at_the_margin_is_dropped(run, kernel):
    # Orthogonal vectors are at distance 1 without rounding: not below a margin of 1.
    case = torch.eye(2), torch.tensor([0, 1]), torch.tensor([[0.0, 0.25], [0.25, 0.0]])
    assert run(kernel, case, margin=1.0)[0].item() == 0
    # Just above the margin's other side it counts: 2 * (1 - 0.25)^2 / 4.
    assert run(kernel, case, margin=1.001)[0].item() == pytest.approx(0.28125)


@every_kernel
def test_a_class_pair_exactly_at_the_margin_is_far(run, kernel):
    # u and v are at distance 1 - 0.75 = 0.25, their classes at 0.5, which is the margin.
    near = torch.tensor([[1.0, 0.0], [0.75, math.sqrt(1 - 0.75**2)]])
    graph = torch.tensor([0, 1]), torch.tensor([[0.0, 0.5], [0.5, 0.0]])
    assert run(kernel, (near, *graph), 0.5)[0].item() == pytest.approx(0, abs=1e-12)
    # hinge: both orders of the pair give (0.5 - 0.25)^2, over 2^2
    assert run(kernel, (near, *graph), 0.5, "hinge")[0].item() == pytest.approx(0.03125)
    # and at distance 1, farther than asked for, there is nothing to pull together
    assert run(kernel, (torch.eye(2), *graph), 0.5, "hinge")[0].item() == 0


@every_kernel
def test_a_dropped_pair_gives_no_gradient(run, between, kernel):
    # Items 0 and 1 are of one class and near; item 2 is beyond the margin of both.
    case = between("triton", (0, 20, 180), [0, 0, 1], [[0.0, 0.4], [0.4, 0.0]])
    _, gradient = run(kernel, case)
    # Its pair with itself is at distance 0 up to rounding.
    assert gradient[2].abs().max() < 1e-6
    assert gradient[0].abs().max() > 1e-3


@every_kernel
def test_paper_gives_far_classes_no_push_and_hinge_does(run, between, kernel):
    case = between(kernel, (0, 10), [0, 1], [[0.0, 1.0], [1.0, 0.0]])
    for relaxation, pushes in (("paper", False), ("hinge", True)):
        _, gradient = run(kernel, case, relaxation=relaxation)
        # Minus the gradient turns the first vector away from the second, which is above it.
        assert bool(gradient[0, 1] > 1e-3) is pushes


@every_kernel
@every_relaxation
def test_a_nan_reaches_the_loss(run, make_case, kernel, relaxation):
    case = make_case(41, 5, 3)
    case.embedding[7] = torch.nan
    assert run(kernel, case, relaxation=relaxation)[0].isnan()


@every_kernel
def test_half_precision_is_computed_in_float32(run, make_case, kernel):
    case = make_case(41, 20, 5)
    case = case._replace(embedding=case.embedding.bfloat16())
    loss, gradient = run(kernel, case)
    expected, _ = run(kernel, case._replace(embedding=case.embedding.float()))
    assert loss.dtype == torch.float32
    assert torch.equal(loss, expected)
    assert gradient.dtype == torch.bfloat16
    if kernel != "triton":  # autocast is of this process
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert torch.equal(run(kernel, case)[0], expected)


@pytest.mark.parametrize("device", ["cuda", "cpu"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("capability", [(7, 5), (8, 0), (12, 0)])
def test_auto_takes_the_gpu_s_kernel_where_it_can_run(monkeypatch, device, dtype, capability):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda of: capability)
    with FakeTensorMode():
        embedding_ND = torch.empty(64, 128, device=device, dtype=dtype)
    can_run = (device, dtype) == ("cuda", torch.float32) and capability >= (8, 0)
    expected = "triton" if can_run else "tiled"
    assert _fastest_kernel(embedding_ND, 3, "paper", ALONE) == expected


@every_relaxation
def test_a_process_computes_its_own_rows_and_adds_the_others_parts(
    make_case, monkeypatch, relaxation
):
    case = make_case(40, 6, 3, torch.float64)
    loss, gradient = reference(case, relaxation)
    parts = []
    monkeypatch.setattr(module, "sum_of_all", lambda part, world: parts.append(part) or loss)
    for rank, own in enumerate([[*range(10), *range(20, 30)], [*range(10, 20), *range(30, 40)]]):
        how = {"margin": 0.9, "relaxation": relaxation, "kernel": "tiled", "world": World(rank, 2)}
        value, found = vjp(lambda e, how=how: graph_loss(e, *case[1:], **how), case.embedding)
        assert value == loss
        expected = torch.zeros_like(gradient).index_copy_(0, torch.tensor(own), gradient[own])
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-15)
    assert sum(parts).item() == pytest.approx(loss.item(), rel=1e-14)


def reference(case, relaxation):
    loss = partial(graph_loss, margin=0.9, relaxation=relaxation, kernel="reference")
    return vjp(lambda embedding: loss(embedding, *case[1:]), case.embedding)


def test_the_closed_form_has_to_be_cheaper_than_a_process_s_own_tiles():
    # 2 * 64 * 32 multiplications per feature; own rows: 1.5 * 64^2, 0.875 * 64^2, 0.24 * 64^2.
    kernels = [
        _fastest_kernel(torch.empty(64, 32), 3, "none", World(0, size)) for size in (1, 2, 8)
    ]
    assert kernels == ["closed_form", "tiled", "tiled"]


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
