import numpy as np
import pytest

from pipeline.metrics.path_overlap import path_overlap

CLASSES = [["a", "x"], ["a", "y"], ["b"]]
NODES = [*CLASSES, ["a"], []]
# Shared, said and true nodes of the items below: 2 2 2, 1 2 2, 1 1 2, 0 0 1, 0 1 2.
LABEL = np.array([0, 0, 0, 2, 1])
PREDICTED = np.array([0, 1, 3, 4, 2])


def test_by_hand_with_inner_nodes():
    # Together 4 shared of 6 said and 9 true.
    found = path_overlap(LABEL, PREDICTED, CLASSES, NODES)
    assert found == pytest.approx((4 / 6, 4 / 9, 8 / 15))


def test_what_all_classes_begin_with_is_the_root():
    shop = [["shop", *parts] for parts in CLASSES]
    nodes = [["shop", *parts] for parts in NODES]
    assert path_overlap(LABEL, PREDICTED, shop, nodes) == path_overlap(
        LABEL, PREDICTED, CLASSES, NODES
    )
    # Above the root there is nothing to be right with either.
    assert path_overlap(LABEL[:1], np.array([0]), shop, [[]]) == (0, 0, 0)


def test_items_of_one_pair_count_each():
    once = path_overlap(LABEL, PREDICTED, CLASSES, NODES)
    assert path_overlap(np.tile(LABEL, 3), np.tile(PREDICTED, 3), CLASSES, NODES) == once


def test_extremes():
    label_N = np.array([0, 1, 2])
    assert path_overlap(label_N, label_N, CLASSES, CLASSES) == (1, 1, 1)
    assert path_overlap(label_N, np.array([2, 2, 0]), CLASSES, CLASSES) == (0, 0, 0)
    assert path_overlap(label_N, np.full(3, 4), CLASSES, NODES) == (0, 0, 0)


def test_less_said_is_more_precise():
    # Of x, `a` is all right but only half; `a<y` is half right.
    label_N = np.array([0])
    inner = path_overlap(label_N, np.array([3]), CLASSES, NODES)
    assert inner == pytest.approx((1, 1 / 2, 2 / 3))
    assert path_overlap(label_N, np.array([1]), CLASSES, NODES) == (0.5, 0.5, 0.5)


def test_a_name_that_stands_elsewhere_is_another_node():
    assert path_overlap(np.array([0]), np.array([1]), [["a", "x"], ["b", "x"]], [[], ["b", "x"]])[
        0
    ] == pytest.approx(0)
