import pytest
import torch
from torch.overrides import TorchFunctionMode

from pipeline.train.losses.graph_loss import reference_graph_loss
from pipeline.train.ops import graph_loss_tiled
from pipeline.train.ops.graph_loss_tiled import tiled_graph_loss

RELAXATIONS = ["none", "paper", "hinge"]


def run(case, margin=0.9, relaxation="paper", precision="fp32", **own):
    how = {"margin": margin, "relaxation": relaxation, "precision": precision, **own}
    return tiled_graph_loss(*case, with_gradient=True, **how)


@pytest.mark.parametrize("relaxation", RELAXATIONS)
@pytest.mark.parametrize(("rows", "columns"), [(16, 40), (16, 16), (1, 101)])
def test_size_of_a_tile_does_not_matter(
    make_case, definition, assert_close, monkeypatch, rows, columns, relaxation
):
    monkeypatch.setattr(graph_loss_tiled, "ROWS", rows)
    monkeypatch.setattr(graph_loss_tiled, "COLUMNS", columns)
    case = make_case(101, 7, 5)
    assert_close(run(case, relaxation=relaxation), definition(case, 0.9, relaxation))


@pytest.mark.parametrize("relaxation", RELAXATIONS)
@pytest.mark.parametrize(("rows", "columns"), [(16, 40), (256, 2048)])
@pytest.mark.parametrize(("dtype", "digits"), [(torch.float32, 1e-6), (torch.float64, 1e-14)])
def test_processes_that_share_the_rows_make_the_loss_and_each_its_rows_of_the_gradient(
    make_case, monkeypatch, rows, columns, relaxation, dtype, digits
):
    monkeypatch.setattr(graph_loss_tiled, "ROWS", rows)
    monkeypatch.setattr(graph_loss_tiled, "COLUMNS", columns)
    case = make_case(101, 7, 5, dtype)
    leaf = case.embedding.clone().requires_grad_()
    whole = reference_graph_loss(leaf, *case[1:], margin=0.9, relaxation=relaxation)
    (gradient,) = torch.autograd.grad(whole, leaf)
    parts = []
    for own in (torch.arange(37), torch.arange(37, 60), torch.arange(60, 101)):
        others = torch.ones(101, dtype=torch.bool).index_fill_(0, own, False).nonzero()[:, 0]
        order = torch.cat([own, others])
        turned = case._replace(embedding=case.embedding[order], label=case.label[order])
        part, own_gradient = run(turned, relaxation=relaxation, own=len(own))
        torch.testing.assert_close(own_gradient, gradient[own], rtol=0, atol=digits / 10)
        parts.append(part.item())
    assert sum(parts) == pytest.approx(whole.item(), rel=digits)
    assert min(parts) > 0


def test_of_pairs_of_others_nothing_is_computed(make_case, monkeypatch):
    monkeypatch.setattr(graph_loss_tiled, "ROWS", 16)
    monkeypatch.setattr(graph_loss_tiled, "COLUMNS", 16)
    products, multiply = [], graph_loss_tiled._multiply
    monkeypatch.setattr(
        graph_loss_tiled,
        "_multiply",
        lambda left, right, *, out: (products.append(out.numel()), multiply(left, right, out=out)),
    )
    run(make_case(128, 7, 5), own=32)
    # Own pairs in three of four tiles, and all with the 96 others.
    assert sum(products) == 3 * 16**2 + 32 * 96


@pytest.mark.parametrize("relaxation", RELAXATIONS)
def test_vectors_that_are_not_of_unit_norm(make_case, definition, assert_close, relaxation):
    case = make_case(300, 8, 7)
    case = case._replace(embedding=3 * case.embedding)
    assert_close(run(case, relaxation=relaxation), definition(case, 0.9, relaxation))


def test_order_of_rows_does_not_matter(make_case, assert_close):
    case = make_case(600, 8, 7)
    order = torch.randperm(600, generator=torch.Generator().manual_seed(0))
    loss, gradient = run(case)
    shuffled = run(case._replace(embedding=case.embedding[order], label=case.label[order]))
    assert_close(shuffled, (loss, gradient[order]))


def test_two_runs_give_the_same_bits(make_case):
    case = make_case(600, 8, 7)
    for one, other in zip(run(case), run(case), strict=True):
        assert torch.equal(one, other)


def test_loss_alone_is_the_same(make_case):
    case = make_case(300, 8, 7)
    loss, gradient = tiled_graph_loss(
        *case, margin=0.9, relaxation="paper", precision="fp32", with_gradient=False
    )
    assert gradient is None
    assert torch.equal(loss, run(case)[0])


def test_no_tensor_grows_with_the_square_of_the_items(make_case, monkeypatch):
    monkeypatch.setattr(graph_loss_tiled, "ROWS", 16)
    monkeypatch.setattr(graph_loss_tiled, "COLUMNS", 64)
    largest = 0

    class Watch(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            nonlocal largest
            result = func(*args, **(kwargs or {}))
            if isinstance(result, torch.Tensor):
                largest = max(largest, result.numel())
            return result

    case = make_case(300, 7, 4)
    with Watch():
        run(case, relaxation="hinge")
    # The gradient, where the pair matrix would have 90,000 entries.
    assert largest == 7 * 300
