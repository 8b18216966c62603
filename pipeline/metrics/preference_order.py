"""HOPS: whether nearer classes are believed before farther ones (Sani and Anand 2025).

Shape letters: N items, K classes, C classes that occur among the true ones, R classes of an item,
best first, H heights 0..tree height.
"""

from typing import NamedTuple

import numpy as np

from pipeline.metrics.graded_hierarchy import ClassHeights
from pipeline.metrics.mistakes import first_classes


class _Preferred(NamedTuple):
    """The order of classes that the tree wants, by true class."""

    degree_CH: np.ndarray
    """[C, H] int64: how many nearer heights have a class."""
    expected_CR: np.ndarray
    """[C, R] int64: degree of the class that belongs at each place."""
    weight_CR: np.ndarray
    """[C, R] float64: what a wrong degree at the place costs."""


def preference_order(
    label_N: np.ndarray, best_NR: np.ndarray, heights: ClassHeights, k: int
) -> np.ndarray:
    """Hierarchically ordered preference score of every item; the mean over items is HOPS@k.

    The tree wants the true class first, then the classes whose lowest common ancestor with it is
    lowest, and so on. The degree d of a class is 0 for the true one, 1 for the nearest others and
    so on, without gaps. At place i the degree d_i is found where e_i belongs:

        HOPS@k = 1 - sum over i <= k of w_i |e_i - d_i| / sum over i <= k of w_i |e_i - e_(k+1-i)|

    and 0 where that is negative, which it may be, since the divisor reverses the first k classes
    only. The weight w of the first place of a degree e is 2^-e, and falls evenly over the places
    of the degree towards the first of the next, after the last degree towards 0. HOPS@1 is
    accuracy. So it is in the authors' program (github.com/Depanshu-Sani/Hier-COS, the notebook of
    the analysis; arXiv 2503.07853 has the idea). Of fewer than k classes, all count, and then
    HOPS@k is their HOPS.

    Args:
        label_N: [N] integer class in 0..K-1.
        best_NR: [N, R] integer classes, most probable first, R at least min(k, K).
        heights: From `class_heights`.
        k: Places that count, at least 1.

    Returns:
        [N] float64 in 0..1; exactly 1 for a perfect order.

    Raises:
        ValueError: k is below 1, or R is too small.
    """
    best_NR = first_classes(best_NR, heights, k)
    if best_NR.shape[1] == 1:
        return (best_NR[:, 0] == label_N).astype(np.float64)
    label_C, row_N = np.unique(label_N, return_inverse=True)
    wanted = _preferred(heights.pair_KK.numpy()[label_C], heights.tree, best_NR.shape[1])
    worst_C = (wanted.weight_CR * np.abs(wanted.expected_CR - wanted.expected_CR[:, ::-1])).sum(1)
    height_NR = heights.pair_KK.numpy()[label_N[:, None], best_NR]
    degree_NR = wanted.degree_CH[row_N[:, None], height_NR]
    wrong_NR = np.abs(wanted.expected_CR[row_N] - degree_NR)
    cost_N = (wanted.weight_CR[row_N] * wrong_NR).sum(axis=1)
    return np.maximum(1 - cost_N / worst_C[row_N], 0.0)


def _preferred(height_CK: np.ndarray, tree: int, places: int) -> _Preferred:
    classes_CH = np.stack([(height_CK == h).sum(axis=1) for h in range(tree + 1)], axis=1)
    degree_CH = (classes_CH > 0).cumsum(axis=1) - 1
    end_CH = classes_CH.cumsum(axis=1)
    place_R = np.arange(places)
    # The height that a place belongs to is the first whose classes reach beyond it.
    height_CR = (end_CH[:, :, None] <= place_R).sum(axis=1)
    size_CR = np.take_along_axis(classes_CH, height_CR, axis=1)
    begin_CR = np.take_along_axis(end_CH, height_CR, axis=1) - size_CR
    expected_CR = np.take_along_axis(degree_CH, height_CR, axis=1)
    first_CR = 0.5**expected_CR
    next_CR = np.where(expected_CR == degree_CH[:, -1:], 0.0, first_CR / 2)
    passed_CR = (place_R - begin_CR) / size_CR
    return _Preferred(degree_CH, expected_CR, first_CR + (next_CR - first_CR) * passed_CR)
