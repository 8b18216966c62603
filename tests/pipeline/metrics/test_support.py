import numpy as np

from pipeline.metrics.support import class_support


def test_thin_classes_are_listed():
    found = class_support(np.array([0, 0, 1, 5]), np.array([3, 1, 1, 2, 3, 5]))
    assert found.tested == [1, 2, 3, 5]
    assert found.unseen == [2, 3]
    assert found.single == [2, 5]


def test_empty_test_split():
    assert class_support(np.array([0]), np.array([], dtype=np.int64)) == ([], [], [])
