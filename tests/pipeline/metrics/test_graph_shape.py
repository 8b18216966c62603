import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from pipeline.metrics.graph_shape import graph_correlation


def at_angles(*degrees):
    angle = torch.deg2rad(torch.tensor(degrees))
    return torch.stack((angle.cos(), angle.sin()), dim=1)


def symmetric(values, size):
    matrix = np.zeros((size, size))
    matrix[np.triu_indices(size, 1)] = values
    return matrix + matrix.T


# Centroids at 0, 20, 90 degrees: angles 20 (0-1), 90 (0-2), 70 (1-2), so ranks 1 3 2.
POINT = at_angles(-10.0, 10.0, 20.0, 90.0)
LABEL = torch.tensor([0, 0, 1, 2])


@pytest.mark.parametrize(
    ("graph", "rho"),
    [
        ([0.1, 0.9, 0.5], 1.0),
        ([0.9, 0.1, 0.5], -1.0),
        # Ranks 2 3 1 against 1 3 2: 1 - 6 * (1 + 0 + 1) / (3 * 8) = 0.5.
        ([0.5, 0.9, 0.1], 0.5),
    ],
)
def test_rank_correlation_by_hand(graph, rho):
    found = graph_correlation(POINT, LABEL, symmetric(graph, 3))
    assert found.rho == pytest.approx(rho)
    assert found.pairs == 3


def test_classes_without_items_take_no_part():
    # Class 1 of 4 is empty; pairs (0,2), (0,3), (2,3) carry the ranks of the first case.
    graph = symmetric([9.0, 0.1, 0.9, 9.0, 9.0, 0.5], 4)
    found = graph_correlation(POINT, torch.tensor([0, 0, 2, 3]), graph)
    assert found == (pytest.approx(1.0), 3)


@pytest.mark.parametrize(
    ("point", "label", "graph", "pairs"),
    [
        (POINT, torch.tensor([0, 0, 1, 1]), [0.1, 0.9, 0.5], 1),
        (POINT[:0], LABEL[:0], [0.1, 0.9, 0.5], 0),
        (torch.ones(4, 2), LABEL, [0.1, 0.9, 0.5], 3),
        (POINT, LABEL, [0.5, 0.5, 0.5], 3),
    ],
)
def test_no_correlation_where_it_does_not_exist(point, label, graph, pairs):
    assert graph_correlation(point, label, symmetric(graph, 3)) == (None, pairs)


def test_it_is_the_correlation_of_scipy():
    generator = torch.Generator().manual_seed(0)
    point = torch.randn(12, 5, generator=generator)
    # Distances of the graph that are equal, as those of a tree are.
    graph = symmetric(torch.randint(1, 4, (66,), generator=generator).double().tolist(), 12)
    upper = np.triu_indices(12, k=1)
    unit = torch.nn.functional.normalize(point.double(), dim=1)
    wanted = spearmanr((1 - unit @ unit.T).numpy()[upper], graph[upper]).statistic
    assert graph_correlation(point, torch.arange(12), graph).rho == pytest.approx(wanted, abs=1e-14)
