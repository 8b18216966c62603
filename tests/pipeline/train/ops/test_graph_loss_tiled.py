import pytest
import torch
from torch.overrides import TorchFunctionMode

from pipeline.train.ops import graph_loss_tiled
from pipeline.train.ops.graph_loss_tiled import tiled_graph_loss

RELAXATIONS = ["none", "paper", "hinge"]


def run(case, margin=0.9, relaxation="paper", precision="fp32"):
    return tiled_graph_loss(
        *case, margin=margin, relaxation=relaxation, precision=precision, with_gradient=True
    )


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
