"""mAP@R: how many of a query's class stand at the top, and how far up.

Shape letters: M queries, N gallery items, D embedding, B queries of one block, R results.
"""

import torch
from torch import Tensor

from pipeline.metrics.best_columns import best_columns
from pipeline.metrics.neighbours import candidates_of_class, score_blocks


def average_precision_at_r(
    query_MD: Tensor,
    gallery_ND: Tensor,
    query_label_M: Tensor,
    gallery_label_N: Tensor,
    *,
    query_group_M: Tensor | None = None,
    gallery_group_N: Tensor | None = None,
) -> Tensor:
    """AP@R of every query; the mean over queries is mAP@R (Musgrave et al. 2020, section 3.2).

        AP@R = 1/R * sum over the ranks i = 1..R of P@i * [result i is of the query's class]

    with R the query's candidates of its class and P@i their share in the first i results. Ties
    are ordered by gallery index. A query without a candidate of its class scores 0.

    Args:
        query_MD: [M, D] float32, rows of unit norm.
        gallery_ND: [N, D] float32, rows of unit norm, on the same device.
        query_label_M: [M] integer class, at least 0.
        gallery_label_N: [N] integer class, at least 0.
        query_group_M: [M] or [M, J] integers, or None to keep every candidate.
        gallery_group_N: [N] or [N, J] integers: items of the query's own group, of any kind, are
            left out.

    Returns:
        [M] float64 in 0..1.

    Raises:
        ValueError: Shapes or types do not fit, or an embedding is not finite.
    """
    relevant_M = candidates_of_class(
        query_label_M,
        gallery_label_N,
        query_group_M=query_group_M,
        gallery_group_N=gallery_group_N,
    )
    precision_M = torch.zeros(len(query_MD), dtype=torch.float64, device=query_MD.device)
    # A block is ranked as deep as its deepest query needs: with queries of classes of one size
    # beside each other, the few large classes do not cost all blocks their depth.
    order_M = relevant_M.argsort(stable=True)
    for rows, score_BN in score_blocks(
        query_MD[order_M],
        gallery_ND,
        query_group_M=None if query_group_M is None else query_group_M[order_M],
        gallery_group_N=gallery_group_N,
    ):
        query_B = order_M[rows]
        relevant_B = relevant_M[query_B]
        deepest = int(relevant_B.max())
        if deepest > 0:
            label_BR = gallery_label_N[best_columns(score_BN, deepest)]
            precision_M[query_B] = _average_precision(
                label_BR == query_label_M[query_B, None], relevant_B
            )
    return precision_M


def _average_precision(same_BR: Tensor, relevant_B: Tensor) -> Tensor:
    """AP@R from whether each result is of the query's class, in order."""
    rank_R = torch.arange(1, same_BR.shape[1] + 1, device=same_BR.device)
    counted_BR = same_BR & (rank_R <= relevant_B[:, None])
    precision_BR = same_BR.cumsum(1, dtype=torch.int32) / rank_R.to(torch.float32)
    total_B = precision_BR.mul_(counted_BR).sum(1, dtype=torch.float64)
    return total_B / relevant_B.clamp(min=1)
