import pytest
import torch
from torch.nn import functional

from pipeline.train.ops.graph_loss_closed_form import closed_form_graph_loss


def test_a_trained_loss_keeps_its_digits(make_case, definition):
    # Items 0.01 around points that realise the graph: a loss of about 1e-8, computed in float32
    # from terms near 1. Subtracting such terms would leave no correct digit.
    case = make_case(400, 8, 5)
    point = functional.normalize(torch.randn(5, 8, generator=torch.Generator().manual_seed(3)))
    adjacency = (1 - point.double() @ point.double().T).float()
    noise = torch.randn(400, 8, generator=torch.Generator().manual_seed(4))
    embedding = functional.normalize(point[case.label] + 0.003 * noise)
    case = case._replace(embedding=embedding, adjacency=adjacency)
    loss, gradient = closed_form_graph_loss(*case, with_gradient=True)
    expected_loss, expected_gradient = definition(case, 3.0, "none")
    assert expected_loss < 1e-4
    assert loss.item() == pytest.approx(expected_loss.item(), rel=1e-4)
    assert (gradient - expected_gradient).norm() < 1e-3 * expected_gradient.norm()


def test_loss_alone_is_the_same(make_case):
    case = make_case(41, 7, 5)
    loss, gradient = closed_form_graph_loss(*case, with_gradient=False)
    assert gradient is None
    assert torch.equal(loss, closed_form_graph_loss(*case, with_gradient=True)[0])
