import numpy as np
import pandas as pd
import pytest

from pipeline.audit.path_distance import edges_between, tree_distances

PAIRS = [
    ("a<b<c", "a<b<c", 0),
    ("a<b<c", "a<b<d", 2),
    ("a<b<c", "a<b", 1),
    ("a<b<c", "a<d<c", 4),
    ("a<b<c", "d", 4),
    ("a", "b", 2),
]


@pytest.mark.parametrize(("one", "other", "edges"), PAIRS)
def test_edges_go_up_to_the_nearest_common_node_and_down(one, other, edges):
    assert edges_between(one.split("<"), other.split("<")) == edges
    assert edges_between(other.split("<"), one.split("<")) == edges


def test_many_pairs_at_once():
    one, other, edges = (pd.Series(list(column)) for column in zip(*PAIRS * 2, strict=True))
    assert np.array_equal(tree_distances(one, other, "<"), edges)
    # Whatever the rows are called.
    one.index, other.index = range(50, 62), range(9, 21)
    assert np.array_equal(tree_distances(one, other, "<"), edges)


def test_no_pairs():
    assert len(tree_distances(pd.Series([], dtype=str), pd.Series([], dtype=str), "<")) == 0
