"""H-AP: average precision along the class tree (HAPPIER: Ramzi et al. 2022).

Shape letters: M queries, N gallery items, R results of a query, B queries of one block,
H heights 0..tree height.
"""

import torch
from torch import Tensor

from pipeline.metrics.graded_hierarchy import ROWS_PER_BLOCK, CandidateHeights, ClassHeights


def hierarchical_average_precision(
    index_MR: Tensor,
    query_label_M: Tensor,
    gallery_label_N: Tensor,
    heights: ClassHeights,
    *,
    query_group_M: Tensor | None = None,
    gallery_group_N: Tensor | None = None,
) -> Tensor:
    """H-AP@R of every query; the mean over queries is the figure.

        H-AP      = sum over ranks k of H-rank(k) / k, / sum of all relevances
        H-rank(k) = rel(k) + sum over the ranks j before k of min(rel(k), rel(j))

    The relevance of an item that shares the query's ancestor at height h, and none below, adds up
    one part for each height from h to below the root:

        rel = sum over heights i >= h of 1 / items that share the query's ancestor at height i

    With it H-AP is the mean over the heights of the average precision of the items that share the
    query's ancestor there, which is how it is computed, and putting what is nearer first is the
    best order. It is the second relevance of the authors' program, with equal weights. Their
    first divides (1 - h / height of the tree) by the number of items at height h: a class with
    more items than its sisters would then be worth less than they are, item by item.

    Cut at R results, as a full ranking of every gallery is too much: the average precision at a
    height is 1 where the first R results, or as many as there are to find, all share the ancestor.
    Without the cut it is the formula above.

    A query that has no candidate below the root scores 0.

    Args:
        index_MR: [M, R] gallery index of the results, best first, -1 for none, as
            `retrieval.nearest` gives them.
        query_label_M: [M] integer class in 0..K-1.
        gallery_label_N: [N] integer class in 0..K-1.
        heights: From `class_heights`.
        query_group_M: [M] or [M, J] integers, or None: the groups that `nearest` was given.
        gallery_group_N: [N] or [N, J] integers.

    Returns:
        [M] float64 in 0..1; exactly 1 for a perfect order.
    """
    M, R = index_MR.shape
    precision_M = torch.zeros(M, dtype=torch.float64, device=index_MR.device)
    if len(gallery_label_N) == 0:
        return precision_M
    candidates = CandidateHeights(
        heights, query_label_M, gallery_label_N, query_group_M, gallery_group_N
    )
    rank_R = torch.arange(1, R + 1, dtype=torch.float64, device=index_MR.device)
    for start in range(0, M, ROWS_PER_BLOCK):
        rows = slice(start, start + ROWS_PER_BLOCK)
        label_BR = gallery_label_N[index_MR[rows].clamp(min=0)]
        height_BR = candidates.pair_KK[query_label_M[rows, None], label_BR]
        height_BR[index_MR[rows] < 0] = candidates.tree
        near_BH = candidates.count(rows).cumsum(1)[:, :-1]
        for height, near_B in enumerate(near_BH.T):
            shares_BR = height_BR <= height
            precision_BR = shares_BR.cumsum(1) / rank_R * shares_BR
            precision_M[rows] += precision_BR.sum(1) / near_B.clamp(min=1, max=R)
        precision_M[rows] /= (near_BH > 0).sum(1).clamp(min=1)
    return precision_M
