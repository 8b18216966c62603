"""Does an item's own picture come back for its text, and the reverse?

Shape letters: M queries, N gallery items, D embedding, B queries of one block.
"""

import torch
from torch import Tensor

from pipeline.metrics.neighbours import score_blocks


def instance_rank(query_MD: Tensor, gallery_ND: Tensor, own_M: Tensor) -> Tensor:
    """Tell at which place, 1..N, the one right item `own_M` of every query comes.

        rank = 1 + candidates that score higher + candidates that tie and have a lower index

    This is the place in `retrieval.nearest`, so instance-level R@K is the share of ranks <= K.
    Counting only the higher scores would give every query of a collapsed space rank 1. The right
    item's score is taken from the same product as the others: computed apart, it would differ by
    rounding and an item could lose against its own score.

    Raises:
        ValueError: Shapes or types do not fit, an embedding is not finite, or an index is out of
            range.
    """
    M, N = len(query_MD), len(gallery_ND)
    if own_M.shape != (M,) or (M > 0 and not 0 <= int(own_M.min()) <= int(own_M.max()) < N):
        raise ValueError(f"own must be [{M}] with values in 0..{N - 1}, got {tuple(own_M.shape)}")
    rank_M = torch.ones(M, dtype=torch.int64, device=query_MD.device)
    index_N = torch.arange(N, device=query_MD.device)
    for rows, score_BN in score_blocks(query_MD, gallery_ND):
        own_B1 = own_M[rows, None]
        own_score_B1 = score_BN.gather(1, own_B1)
        rank_B = 1 + (score_BN > own_score_B1).sum(1)
        tied_BN = score_BN == own_score_B1
        tied = (tied_BN.sum(1) > 1).nonzero()[:, 0]
        rank_B[tied] += (tied_BN[tied] & (index_N < own_B1[tied])).sum(1)
        rank_M[rows] = rank_B
    return rank_M
