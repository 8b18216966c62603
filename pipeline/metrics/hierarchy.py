"""HP@K after DeViSE: how near in the class tree the first results are (HUSE section 4).

Shape letters: K classes, M queries, R results of a query, C cut-offs.

A class is a path, most general part first. Its ancestor r levels up is the path without its last
r parts; above the most general parts stands one root.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def common_levels(class_parts: Sequence[Sequence[str]]) -> np.ndarray:
    """Count the leading parts that every two class paths share.

    Args:
        class_parts: The path of each of K classes, most general part first; all different.

    Returns:
        [K, K] int16: the depth of the lowest common ancestor; on the diagonal the length of the
        path. Memory: 2 K^2 bytes, and K^2 bytes while it is made.

    Raises:
        ValueError: A path is empty, or two classes have one path.
    """
    paths = [tuple(parts) for parts in class_parts]
    if not all(paths):
        raise ValueError(f"class {paths.index(())} has an empty path")
    if len(set(paths)) < len(paths):
        raise ValueError("two classes have the same path")
    common_KK = np.zeros((len(paths), len(paths)), dtype=np.int16)
    for level in range(1, max(map(len, paths), default=0) + 1):
        number = {prefix: n for n, prefix in enumerate({path[:level] for path in paths})}
        # Shorter paths have no ancestor at this level: each gets a number that nobody shares.
        ancestor_K = np.array(
            [number[path[:level]] if len(path) >= level else -1 - n for n, path in enumerate(paths)]
        )
        same_KK = ancestor_K[:, None] == ancestor_K[None, :]
        short_K = ancestor_K < 0
        same_KK[short_K, short_K] = False
        common_KK += same_KK
    return common_KK


def radius_to_enter(class_parts: Sequence[Sequence[str]]) -> Tensor:
    """Tell how far the radius around a class must grow until it takes in another class.

        radius_ij = length of path i - leading parts shared by the paths i and j

    The set of class i at radius r is every class below i's ancestor r levels up. So 0 takes in
    the class and the classes below it, and the length of path i takes in all classes. With
    unequal depths the matrix is not symmetric: from `a`, radius 0 reaches `a<b`; from `a<b`,
    radius 1 reaches `a`.

    Returns:
        [K, K] int16, row: class in the middle, column: class to be taken in.

    Raises:
        ValueError: A path is empty, or two classes have one path.
    """
    common_KK = common_levels(class_parts)
    return torch.from_numpy(common_KK.diagonal()[:, None] - common_KK)


def correct_classes(radius_KK: Tensor, k: int) -> Tensor:
    """Grow the radius around every class until its set holds at least k classes (DeViSE).

    Returns:
        [K, K] bool: whether the column's class counts as correct for a query of the row's class.

    Raises:
        ValueError: k is below 1.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    # The k-th smallest entry of a row is the first radius whose set holds k classes.
    smallest_K = radius_KK.kthvalue(min(k, len(radius_KK)), dim=1).values
    return radius_KK <= smallest_K[:, None]


def correct_everywhere(radius_KK: Tensor, k: int) -> Tensor:
    """Tell for which classes, [K] bool, the correct set is the whole tree, so any result is right.

    In a shallow tree that happens early: with two levels it takes a top-level class of fewer than
    k classes.
    """
    return correct_classes(radius_KK, k).all(dim=1)


def hierarchical_precision(
    index_MR: Tensor,
    query_label_M: Tensor,
    gallery_label_N: Tensor,
    radius_KK: Tensor,
    k: Sequence[int],
) -> Tensor:
    """HP@K of every query; the mean over queries is the figure of HUSE table 2.

        HP@K = results in the top K whose class is in the query class's set for K
               / results in the top K

    A query with fewer than K candidates is judged by those it has; one with none scores 0.

    Args:
        index_MR: [M, R] gallery index of the results, best first, -1 for none, as
            `retrieval.nearest` gives them.
        query_label_M: [M] integer class in 0..K-1.
        gallery_label_N: [N] integer class in 0..K-1.
        radius_KK: [K, K] from `radius_to_enter`.
        k: Cut-offs, each in 1..R.

    Returns:
        [M, C] float32 in 0..1, one column per cut-off.

    Raises:
        ValueError: A cut-off lies outside 1..R.
    """
    if not k or min(k) < 1 or max(k) > index_MR.shape[1]:
        raise ValueError(f"cut-offs must lie in 1..{index_MR.shape[1]}, got {list(k)}")
    precision_MC = torch.zeros(len(index_MR), len(k), device=index_MR.device)
    if len(gallery_label_N) == 0:
        return precision_MC
    for column, cutoff in enumerate(k):
        correct_KK = correct_classes(radius_KK, cutoff).to(index_MR.device)
        result_MR = index_MR[:, :cutoff]
        found_MR = result_MR >= 0
        label_MR = gallery_label_N[result_MR.clamp(min=0)]
        hit_MR = correct_KK[query_label_M[:, None], label_MR] & found_MR
        precision_MC[:, column] = hit_MR.sum(1) / found_MR.sum(1).clamp(min=1)
    return precision_MC
