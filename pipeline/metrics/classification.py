"""How well the shared classifier names the classes.

Shape letters: N items, K classes, L labels, T top-level classes, P pairs of classes.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

SHARED_TOP = 3
"""Labels that notebook A compares with the true ones."""


class LevelAccuracy(NamedTuple):
    """Share of items whose path is right down to one level."""

    level: int
    """1 is the most general part."""
    accuracy: float
    items: int
    """Items whose path reaches this level; the others are not asked."""


class ConfusedPair(NamedTuple):
    """How often items of one class were given another."""

    true: int
    predicted: int
    items: int


def hits_at(score_NK: np.ndarray, label_N: np.ndarray, k: int) -> np.ndarray:
    """Whether the true class is among an item's k best; the mean is accuracy (k = 1) or top-k.

    Equal scores are ordered by class number, so k = 1 agrees with `score_NK.argmax(axis=1)`.

    Raises:
        ValueError: k is below 1, or a score is NaN.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    if np.isnan(score_NK).any():
        raise ValueError("score holds NaN")
    own_N1 = np.take_along_axis(score_NK, label_N[:, None], axis=1)
    earlier_NK = np.arange(score_NK.shape[1]) < label_N[:, None]
    before_NK = (score_NK > own_N1) | ((score_NK == own_N1) & earlier_NK)
    return before_NK.sum(axis=1) < k


def shared_in_top(score_NL: np.ndarray, label_NL: np.ndarray, k: int) -> np.ndarray:
    """Share of an item's labels among its k best, where items have several (notebook A, k = 3).

        shared = labels of the item among the k with the best scores / min(k, labels of the item)

    Notebook A compares the 3 predicted with 3 true labels, which is the same for items with three
    labels or more; the denominator lets an item with fewer reach 1 too. Equal scores are ordered
    by label number.

    Raises:
        ValueError: k is below 1, a score is NaN, or an item has no label.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    if np.isnan(score_NL).any():
        raise ValueError("score holds NaN")
    is_label_NL = label_NL.astype(bool)
    count_N = is_label_NL.sum(axis=1)
    if (count_N == 0).any():
        raise ValueError("an item has no label")
    best_Nk = np.argsort(-score_NL, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(is_label_NL, best_Nk, axis=1).sum(axis=1) / np.minimum(count_N, k)


def macro_f1(label_N: np.ndarray, predicted_N: np.ndarray) -> float:
    """Average F1 with equal weight for every class that occurs among the true labels, one at least.

    A class that is only predicted lowers the precision of no other class, but counts as an error
    of the class it was predicted for; it has no F1 of its own here. One that is never predicted
    has F1 = 0.

        F1 = 2 * right / (items of the class + items that were given it)

    As scikit-learn's f1_score, which takes most of a second to import.
    """
    size = int(max(label_N.max(), predicted_N.max())) + 1
    true_K, predicted_K = np.bincount(label_N, minlength=size), np.bincount(predicted_N)
    right_K = np.bincount(label_N[label_N == predicted_N], minlength=size)
    occurring = np.flatnonzero(true_K)
    predicted_K = np.pad(predicted_K, (0, size - len(predicted_K)))
    return float(np.mean(2 * right_K[occurring] / (true_K + predicted_K)[occurring]))


def accuracy_by_level(
    label_N: np.ndarray, predicted_N: np.ndarray, class_parts: Sequence[Sequence[str]]
) -> list[LevelAccuracy]:
    """Accuracy of the path down to each level, 1 to the longest path among the true classes.

    Level l asks the items whose true path has at least l parts whether the first l parts of the
    predicted path are the same.
    """
    depth_K = np.array([len(parts) for parts in class_parts])
    deepest = int(depth_K[label_N].max(initial=0))
    levels = []
    for level in range(1, deepest + 1):
        ancestor_K = ancestors_at(class_parts, level)
        asked_N = depth_K[label_N] >= level
        right_N = ancestor_K[label_N[asked_N]] == ancestor_K[predicted_N[asked_N]]
        levels.append(LevelAccuracy(level, float(right_N.mean()), int(asked_N.sum())))
    return levels


def ancestors_at(class_parts: Sequence[Sequence[str]], level: int) -> np.ndarray:
    """Number the classes' ancestors at one level, 1 for the top level, by first appearance: [K].

    A shorter path stands for itself.
    """
    number: dict[tuple[str, ...], int] = {}
    return np.array(
        [number.setdefault(tuple(parts[:level]), len(number)) for parts in class_parts],
        dtype=np.int64,
    )


def confusion_counts(label_N: np.ndarray, predicted_N: np.ndarray) -> list[ConfusedPair]:
    """Count every pair of true and predicted class that occurs, right ones included.

    Pairs come by falling count, equal counts by true and then predicted class. Memory grows with
    the pairs that occur, not with K^2.
    """
    pair_P2, count_P = np.unique(
        np.stack((label_N, predicted_N), axis=1), axis=0, return_counts=True
    )
    order_P = np.argsort(-count_P, kind="stable")
    return [ConfusedPair(int(pair_P2[p, 0]), int(pair_P2[p, 1]), int(count_P[p])) for p in order_P]


def most_confused_classes(pairs: Sequence[ConfusedPair], count: int) -> list[int]:
    """Choose the classes that take part in most errors, as the true class or as the predicted one.

    Equal numbers of errors are ordered by class; classes without errors are not listed.
    """
    errors: dict[int, int] = {}
    for pair in pairs:
        if pair.true != pair.predicted:
            for label in (pair.true, pair.predicted):
                errors[label] = errors.get(label, 0) + pair.items
    return sorted(errors, key=lambda label: (-errors[label], label))[:count]
