"""How far in the class tree predictions are from the truth.

Shape letters: N items, K classes, R classes of an item, best first.

The distance of two classes is the height of their lowest common ancestor (Deng et al. 2010): 0 for
a class and itself, 1 for sisters without classes below them, the height of the tree for classes
that share nothing.
"""

import numpy as np

from pipeline.metrics.graded_hierarchy import ClassHeights


def mistake_heights(
    label_N: np.ndarray, predicted_N: np.ndarray, heights: ClassHeights
) -> np.ndarray:
    """How far each wrong prediction is off; the mean over the mistakes is the mistake severity.

        severity = mean over the mistakes of the height of the lowest common ancestor of the true
                   and the predicted class                               (Bertinetto et al. 2020)

    It says nothing of how many mistakes there are: who adds slight ones to severe ones has a
    better figure. `hierarchical_distance` at k = 1 counts the right items too.

    Args:
        label_N: [N] integer class in 0..K-1.
        predicted_N: [N] integer class in 0..K-1.
        heights: From `class_heights`.

    Returns:
        [N] float64: height, at least 1; NaN where the prediction is right.
    """
    height_N = heights.pair_KK.numpy()[label_N, predicted_N].astype(np.float64)
    height_N[label_N == predicted_N] = np.nan
    return height_N


def hierarchical_distance(
    label_N: np.ndarray, best_NR: np.ndarray, heights: ClassHeights, k: int
) -> np.ndarray:
    """Mean distance of an item's k most probable classes; the mean over items is AHD@k.

        AHD@k = mean over all items and their k most probable classes of the height of the lowest
                common ancestor with the true class                      (Bertinetto et al. 2020)

    The best that can be reached at k > 1 is not 0, and not the same in every tree: figures of
    models on one catalogue can be compared. Of fewer than k classes, all count.

    Args:
        label_N: [N] integer class in 0..K-1.
        best_NR: [N, R] integer classes, most probable first, R at least min(k, K).
        heights: From `class_heights`.
        k: Classes that count, at least 1.

    Returns:
        [N] float64 heights.

    Raises:
        ValueError: k is below 1, or R is too small.
    """
    best_NR = first_classes(best_NR, heights, k)
    return heights.pair_KK.numpy()[label_N[:, None], best_NR].mean(axis=1, dtype=np.float64)


def first_classes(best_NR: np.ndarray, heights: ClassHeights, k: int) -> np.ndarray:
    """Cut each item's classes to the first k, or to all classes if there are fewer.

    Raises:
        ValueError: k is below 1, or R is too small.
    """
    wanted = min(k, len(heights.pair_KK))
    if k < 1 or wanted > best_NR.shape[1]:
        raise ValueError(f"k must be in 1..{best_NR.shape[1]}, got {k}")
    return best_NR[:, :wanted]
