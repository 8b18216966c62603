import pytest
import torch

from pipeline.train.ops import graph_loss_rows
from pipeline.train.ops.graph_loss_rows import rows_graph_loss


@pytest.mark.parametrize("relaxation", ["none", "paper", "hinge"])
@pytest.mark.parametrize(("rows", "columns"), [(256, 2048), (16, 40), (1, 101)])
def test_the_shares_add_up_to_the_definition(
    make_case, definition, assert_close, monkeypatch, rows, columns, relaxation
):
    monkeypatch.setattr(graph_loss_rows, "ROWS", rows)
    monkeypatch.setattr(graph_loss_rows, "COLUMNS", columns)
    case = make_case(101, 7, 5)
    order = torch.randperm(101, generator=torch.Generator().manual_seed(0))
    loss, gradient_ND = torch.zeros(()), torch.zeros_like(case.embedding)
    for own_S in (order[:60], order[60:]):
        part, own_gradient_ND = rows_graph_loss(
            *case, own_S, margin=0.9, relaxation=relaxation, precision="fp32", with_gradient=True
        )
        others = torch.ones(101, dtype=torch.bool)
        others[own_S] = False
        assert not own_gradient_ND[others].any()
        loss, gradient_ND = loss + part, gradient_ND + own_gradient_ND
    assert_close((loss, gradient_ND), definition(case, 0.9, relaxation))


def test_the_part_alone_is_the_same(make_case):
    case = make_case(60, 8, 7)
    own_S = torch.arange(20, 50)
    settings = {"margin": 0.9, "relaxation": "paper", "precision": "fp32"}
    part, gradient_ND = rows_graph_loss(*case, own_S, **settings, with_gradient=False)
    assert gradient_ND is None
    assert torch.equal(part, rows_graph_loss(*case, own_S, **settings, with_gradient=True)[0])


def test_rounded_products_are_near_the_exact_ones(make_case):
    case = make_case(300, 32, 7)
    own_S = torch.arange(100)
    exact, rounded = (
        rows_graph_loss(
            *case, own_S, margin=0.9, relaxation="hinge", precision=precision, with_gradient=True
        )
        for precision in ("fp32", "bf16")
    )
    torch.testing.assert_close(rounded[0], exact[0], rtol=1e-2, atol=1e-4)
    assert not torch.equal(rounded[1], exact[1])
    torch.testing.assert_close(rounded[1], exact[1], rtol=5e-2, atol=1e-5)
