"""Hierarchical precision with graded similarity (Barz and Denzler 2019, section 4.3; Deng 2011).

Shape letters: K classes, H heights 0..tree height, M queries, N gallery items, R results of a
query, B queries of one block, C cut-offs.

    similarity of two classes = 1 - height of their lowest common ancestor / height of the tree

The height of a node is the longest way down from it to a class. All sums are kept as integer
heights, so a perfect ranking scores exactly 1.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pipeline.metrics.hierarchy import common_levels
from pipeline.metrics.neighbours import OwnGroup

# Pairs that share a group are listed block by block: a text that ten thousand items have makes ten
# thousand pairs per query.
ROWS_PER_BLOCK = 512


class ClassHeights(NamedTuple):
    """Heights of the lowest common ancestors of a set of classes."""

    pair_KK: Tensor
    """[K, K] int16, symmetric, 0 on the diagonal."""
    tree: int
    """Height of the lowest common ancestor of all classes; 0 with one class."""


class GradedPrecision(NamedTuple):
    """Hierarchical precision of every query."""

    at_MC: Tensor
    """[M, C] float64 in 0..1: HP@k, one column per cut-off."""
    area_M: Tensor
    """[M] float64 in 0..1: AHP, the area under the curve of HP@k."""


def class_heights(class_parts: Sequence[Sequence[str]]) -> ClassHeights:
    """Find the height of the lowest common ancestor of every two classes.

    The tree hangs from the lowest common ancestor of all classes: from `shop` if all paths begin
    with it, else from a root above the most general parts. A class stands at height 0 to itself,
    even when other classes lie below it, because nothing is more similar.

    Returns:
        Heights of all pairs, and of the tree. Memory: about 12 K^2 bytes while it is made.

    Raises:
        ValueError: There is no class, a path is empty, or two classes have one path.
    """
    if not class_parts:
        raise ValueError("there are no classes")
    common_KK = common_levels(class_parts)
    depth_K = common_KK.diagonal()
    height_KK = np.zeros_like(common_KK)
    for level in range(int(common_KK.max()) + 1):
        below_KK = common_KK >= level
        # The deepest class below the ancestor that class i has at this level.
        deepest_K = np.where(below_KK, depth_K, 0).max(axis=1)
        height_KK = np.where(common_KK == level, (deepest_K - level)[:, None], height_KK)
    np.fill_diagonal(height_KK, 0)
    return ClassHeights(torch.from_numpy(height_KK), int(depth_K.max() - common_KK.min()))


def graded_precision(
    index_MR: Tensor,
    query_label_M: Tensor,
    gallery_label_N: Tensor,
    heights: ClassHeights,
    k: Sequence[int],
    *,
    area_to: int,
    query_group_M: Tensor | None = None,
    gallery_group_N: Tensor | None = None,
) -> GradedPrecision:
    """HP@k and AHP of every query; the mean over queries is the figure.

        HP@k  = sum of the similarities of the first k results
                / the same sum for the best possible order of the query's candidates
        AHP@K = area under HP@k from k = 1 to K by the trapezoid rule / (K - 1)

    So a perfect order has AHP = 1; the authors' own program divides by K, which makes its figure
    (K - 1) / K of this one. A query with fewer than k candidates is judged by those it has; one
    with none, or with no candidate that is similar at all, scores 0.

    Args:
        index_MR: [M, R] gallery index of the results, best first, -1 for none, as
            `retrieval.nearest` gives them.
        query_label_M: [M] integer class in 0..K-1.
        gallery_label_N: [N] integer class in 0..K-1.
        heights: From `class_heights`.
        k: Cut-offs, each in 1..R.
        area_to: K of AHP@K, in 1..R.
        query_group_M: [M] or [M, J] integers, or None: the groups that `nearest` was given.
        gallery_group_N: [N] or [N, J] integers.

    Returns:
        HP@k and AHP of every query.

    Raises:
        ValueError: A cut-off lies outside 1..R.
    """
    M, R = index_MR.shape
    if not k or min(*k, area_to) < 1 or max(*k, area_to) > R:
        raise ValueError(f"cut-offs must lie in 1..{R}, got {list(k)} and {area_to}")
    device = index_MR.device
    result = GradedPrecision(
        torch.zeros(M, len(k), dtype=torch.float64, device=device),
        torch.zeros(M, dtype=torch.float64, device=device),
    )
    if len(gallery_label_N) == 0:
        return result
    candidates = CandidateHeights(
        heights, query_label_M, gallery_label_N, query_group_M, gallery_group_N
    )
    column_C = torch.tensor(k, device=device) - 1
    for start in range(0, M, ROWS_PER_BLOCK):
        rows = slice(start, start + ROWS_PER_BLOCK)
        found_BR = index_MR[rows] >= 0
        label_BR = gallery_label_N[index_MR[rows].clamp(min=0)]
        height_BR = candidates.pair_KK[query_label_M[rows, None], label_BR].to(torch.int64)
        gained_BR = (candidates.tree - height_BR).mul_(found_BR).cumsum(1)
        curve_BR = gained_BR / _best_gain(candidates.count(rows), R).clamp(min=1)
        result.at_MC[rows] = curve_BR[:, column_C]
        result.area_M[rows] = _area(curve_BR[:, :area_to], found_BR[:, :area_to].sum(1))
    return result


class CandidateHeights:
    """How many candidates of a query stand at each height of the class tree from it."""

    def __init__(
        self,
        heights: ClassHeights,
        query_label_M: Tensor,
        gallery_label_N: Tensor,
        query_group_M: Tensor | None = None,
        gallery_group_N: Tensor | None = None,
    ) -> None:
        """Count the gallery for every class; arguments as of `graded_precision`."""
        self.tree = max(heights.tree, 1)
        """Height from which on nothing is similar; H is one more."""
        self.pair_KK = heights.pair_KK.to(gallery_label_N.device)
        """Heights of all pairs of classes, on the device of the gallery."""
        self._query_label_M, self._gallery_label_N = query_label_M, gallery_label_N
        self._own_group = None
        if query_group_M is not None and gallery_group_N is not None:
            self._own_group = OwnGroup(query_group_M, gallery_group_N)
        # As a product of float64, which counts exactly, many times faster than integers are added.
        item_K = torch.bincount(gallery_label_N, minlength=len(self.pair_KK)).double()
        self._items_KH = torch.stack(
            [(self.pair_KK == height).double() @ item_K for height in range(self.tree + 1)],
            dim=1,
        ).to(torch.int64)

    def count(self, rows: slice) -> Tensor:
        """Candidates of a block of queries by height: [B, H] int64."""
        label_B = self._query_label_M[rows]
        items_BH = self._items_KH[label_B]
        if self._own_group is not None:
            row_P, item_P = self._own_group.pairs(rows)
            height_P = self.pair_KK[label_B[row_P], self._gallery_label_N[item_P]]
            one_P = torch.ones_like(row_P)
            items_BH.index_put_((row_P, height_P.to(torch.int64)), -one_P, accumulate=True)
        return items_BH


def _best_gain(items_BH: Tensor, length: int) -> Tensor:
    """Sum of (tree height - height) over the first 1..length candidates of the best order.

    Of candidates by height, [B, H]; the sums are [B, length].
    """
    # Candidates at height h or nearer, cut at each length, once per height below the tree's:
    # a candidate at height h is counted tree - h times.
    reached_BH = items_BH.cumsum(1)[:, :-1]
    length_R = torch.arange(1, length + 1, device=items_BH.device)
    gained_BR = torch.zeros(len(items_BH), length, dtype=torch.int64, device=items_BH.device)
    for reached_B in reached_BH.T:
        gained_BR += torch.minimum(reached_B[:, None], length_R)
    return gained_BR


def _area(curve_BR: Tensor, candidates_B: Tensor) -> Tensor:
    """Mean height of the curve over 1..its candidates, by the trapezoid rule."""
    if curve_BR.shape[1] == 1:
        return curve_BR[:, 0]
    between_BR = (curve_BR[:, 1:] + curve_BR[:, :-1]) / 2
    step_R = torch.arange(1, curve_BR.shape[1], device=curve_BR.device)
    inside_BR = step_R < candidates_B[:, None]
    area_B = (between_BR * inside_BR).sum(1) / (candidates_B - 1).clamp(min=1)
    return torch.where(candidates_B > 1, area_B, curve_BR[:, 0])
