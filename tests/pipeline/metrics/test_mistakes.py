import numpy as np
import pytest

from pipeline.metrics.graded_hierarchy import class_heights
from pipeline.metrics.mistakes import first_classes, hierarchical_distance, mistake_heights

# Unequal depths, and one class (1) that stands above another (2); the root is at height 3.
#   a [2] - b(0), c(1) [1] - d(2);   e(3);   f [2] - g [1] - h(4), i(5)
CLASSES = [["a", "b"], ["a", "c"], ["a", "c", "d"], ["e"], ["f", "g", "h"], ["f", "g", "i"]]
HEIGHTS = class_heights(CLASSES)


def test_severity_is_of_the_mistakes_alone():
    # Right; b for c meets in a, at height 2; d for e in the root, 3; h for i in g, 1.
    label_N, predicted_N = np.array([0, 0, 2, 4]), np.array([0, 1, 3, 5])
    height_N = mistake_heights(label_N, predicted_N, HEIGHTS)
    assert np.array_equal(height_N, [np.nan, 2, 3, 1], equal_nan=True)
    assert np.nanmean(height_N) == 2
    # Right items count as 0 here: (0 + 2 + 3 + 1) / 4.
    distance_N = hierarchical_distance(label_N, predicted_N[:, None], HEIGHTS, 1)
    assert distance_N.mean() == 1.5


def test_a_class_above_the_true_one_is_off_by_its_height():
    assert mistake_heights(np.array([2, 1]), np.array([1, 2]), HEIGHTS).tolist() == [1, 1]


def test_distance_of_the_first_classes_by_hand():
    # Of d: c is 1 off, d is 0, e is 3. Of h: e and b are 3 off each, i is 1.
    label_N, best_N3 = np.array([2, 4]), np.array([[1, 2, 3], [3, 0, 5]])
    assert hierarchical_distance(label_N, best_N3, HEIGHTS, 2).tolist() == [0.5, 3]
    found = hierarchical_distance(label_N, best_N3, HEIGHTS, 3)
    assert found.tolist() == pytest.approx([4 / 3, 7 / 3])


def test_of_fewer_classes_than_k_all_count_in_any_order():
    # Of h: 3 + 3 + 3 + 3 + 0 + 1 over six classes.
    every_N6 = np.array([[4, 5, 0, 1, 2, 3], [0, 1, 2, 3, 4, 5]])
    found = hierarchical_distance(np.array([4, 4]), every_N6, HEIGHTS, 20)
    assert found.tolist() == pytest.approx([13 / 6, 13 / 6])


def test_no_item_gives_no_figure():
    none = np.zeros(0, dtype=np.int64)
    assert mistake_heights(none, none, HEIGHTS).shape == (0,)


def test_misuse_is_named():
    best_N3 = np.zeros((1, 3), dtype=np.int64)
    for k in (0, 4):
        with pytest.raises(ValueError, match=rf"1\.\.3, got {k}"):
            first_classes(best_N3, HEIGHTS, k)
