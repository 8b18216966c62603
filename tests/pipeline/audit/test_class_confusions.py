import numpy as np
import pytest

from pipeline.audit.class_confusions import find_inseparable, find_nearer_branches

PATHS = ["a", "b", "c", "d"]


def find(table):
    """`table` by (class, predicted class) -> items."""
    pairs = [pair for pair, count in table.items() for _ in range(count)]
    label_N, predicted_N = np.array(pairs, dtype=np.int64).T
    return find_inseparable(label_N, predicted_N, PATHS)


def test_classes_that_are_told_apart_are_no_pair():
    assert find({(0, 0): 50, (1, 1): 50, (0, 1): 5, (1, 0): 5, (2, 2): 9}).empty


def test_a_coin_is_a_pair_however_unlike_the_sizes():
    found = find({(0, 0): 500, (0, 1): 500, (1, 0): 30, (1, 1): 30, (2, 2): 100})
    (row,) = found.itertuples(index=False)
    assert (row.path, row.other, row.items, row.other_items) == ("b", "a", 60, 1000)
    assert row.error == 0.5
    # Wilson of 30 in 60 is 0.377 to 0.623, of 500 in 1000 0.469 to 0.531.
    assert row.low == pytest.approx((0.3775 + 0.4691) / 2, abs=1e-3)
    assert row.high == pytest.approx((0.6225 + 0.5309) / 2, abs=1e-3)


def test_predictions_of_third_classes_do_not_count():
    one = find({(0, 0): 50, (0, 1): 50, (1, 0): 50, (1, 1): 50})
    other = find({(0, 0): 50, (0, 1): 50, (1, 0): 50, (1, 1): 50, (0, 2): 20, (2, 2): 99})
    assert one.equals(other)


def test_a_few_items_prove_nothing():
    assert find({(0, 0): 1, (0, 1): 1, (1, 0): 1, (1, 1): 1}).empty


def test_a_large_class_that_swallows_a_small_one_is_a_pair():
    # A classifier that knows nothing says what is more frequent.
    (row,) = find({(0, 0): 900, (1, 0): 40, (2, 2): 9}).itertuples(index=False)
    assert (row.path, row.other, row.error) == ("b", "a", 0.5)
    assert find({(0, 0): 900, (1, 0): 1, (2, 2): 9}).empty


def test_the_most_certain_pair_comes_first():
    found = find(
        {
            **{(0, 0): 30, (0, 1): 30, (1, 0): 30, (1, 1): 30},
            **{(2, 2): 300, (2, 3): 300, (3, 2): 300, (3, 3): 300},
        }
    )
    assert found["path"].tolist() == ["c", "a"]


PARTS = [("a", "x"), ("a", "y"), ("b", "x"), ("b", "z"), ("c",)]


def nearer(rivals, parts=PARTS):
    """`rivals` by (class, rival) -> items."""
    pairs = [pair for pair, count in rivals.items() for _ in range(count)]
    label_N, rival_N = np.array(pairs, dtype=np.int64).T
    return find_nearer_branches(label_N, rival_N, parts, "<")


def test_a_class_that_would_rather_be_in_another_branch_is_found():
    found = nearer({(0, 2): 50, (0, 3): 20, (0, 1): 10, (1, 0): 30, (2, 3): 9, (3, 2): 5})
    (row,) = found.itertuples(index=False)
    assert (row.path, row.other, row.items, row.other_items) == ("a<x", "b", 80, 14)
    assert row.error == 70 / 80
    assert 0.78 < row.low < row.error < row.high < 0.94


def test_half_of_the_items_or_a_few_are_not_enough():
    assert nearer({(0, 2): 50, (0, 1): 50, (1, 0): 30}).empty
    assert nearer({(0, 2): 3, (1, 0): 30}).empty


def test_a_class_that_is_a_branch_has_no_other_there():
    assert nearer({(4, 2): 100, (0, 1): 5}).empty


def test_branches_begin_where_the_tree_divides():
    parts = [("all", *path) for path in PARTS]
    (row,) = nearer({(0, 2): 50, (1, 0): 30}, parts).itertuples(index=False)
    assert (row.path, row.other) == ("all<a<x", "all<b")
    assert nearer({(0, 0): 5}, [("all",)]).empty
