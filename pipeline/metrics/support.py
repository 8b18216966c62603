"""Which classes the test split can say little about.

Shape letters: N items.
"""

from typing import NamedTuple

import numpy as np


class ClassSupport(NamedTuple):
    """Classes of the test split, and the thin ones among them, by rising number."""

    tested: list[int]
    """Classes with a test item."""
    unseen: list[int]
    """Classes with a test item and no training item. Their items stay queries and candidates;
    the classifier never saw them, so it names them wrong."""
    single: list[int]
    """Classes with exactly one test item. Within one modality its query cannot be answered and
    is in no mean."""


def class_support(train_label_N: np.ndarray, test_label_N: np.ndarray) -> ClassSupport:
    """Find the classes that occur only in test, or only once in it."""
    tested, items = np.unique(test_label_N, return_counts=True)
    return ClassSupport(
        tested=tested.tolist(),
        unseen=np.setdiff1d(tested, train_label_N).tolist(),
        single=tested[items == 1].tolist(),
    )
