import numpy as np
import pytest

from pipeline.audit.class_confusions import find_inseparable

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
