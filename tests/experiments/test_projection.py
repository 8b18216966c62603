"""Hier-COS's prediction, on a tree small enough to work out by hand."""

import sys
from pathlib import Path

import pytest
import torch

from pipeline.train.objectives.hier_cos import tree_nodes

FOLDER = Path(__file__).parents[2] / "experiments/paper_tables"
# Two parents of two classes each: six nodes, every class on its parent's axis and its own.
DEPTH_KM = tree_nodes(torch.tensor([[0, 0], [0, 1], [1, 2], [1, 3]]))


@pytest.fixture
def longest_projection(monkeypatch):
    """The function, imported as the experiment's commands import it."""
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.delitem(sys.modules, "projection", raising=False)
    return __import__("projection").longest_projection


def point(**size: float) -> torch.Tensor:
    """An embedding by its size on the axes: parents p0 and p1, classes c0 to c3."""
    axes = {f"c{row}": int(torch.where(DEPTH_KM[row] == 2)[0]) for row in range(4)}
    axes |= {f"p{row}": int(torch.where(DEPTH_KM[2 * row] == 1)[0]) for row in range(2)}
    embedding_M = torch.zeros(DEPTH_KM.shape[1])
    for name, value in size.items():
        embedding_M[axes[name]] = value
    return embedding_M


def test_the_parent_counts_as_much_as_the_class(longest_projection):
    # Squares: c0 0.25 + 0.36 = 0.61 on its path; c2 0.36 + 0 alone, though its own axis is longer.
    embedding_NM = torch.stack([point(p0=0.6, c0=0.5, c2=0.6), point(p1=0.1, c3=0.9)])
    assert longest_projection(embedding_NM, DEPTH_KM, signed=False).tolist() == [0, 3]


def test_the_other_half_of_an_axis_is_the_nodes_unless_signed(longest_projection):
    embedding_NM = point(p0=0.5, c0=-0.7, c1=0.3)[None]
    assert longest_projection(embedding_NM, DEPTH_KM, signed=False).tolist() == [0]
    assert longest_projection(embedding_NM, DEPTH_KM, signed=True).tolist() == [1]
