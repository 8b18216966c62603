"""Nearest items and R@K: exact, whatever the size (HUSE section 4).

Shape letters: M queries, N gallery items, D embedding, K results of a query, B queries of one
block, C cut-offs.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.metrics.best_columns import best_columns
from pipeline.metrics.neighbours import score_blocks


class Neighbours(NamedTuple):
    """The first results of every query, best first."""

    indices: Tensor
    """[M, K] int64: gallery index; -1 where a query has fewer than K candidates."""
    scores: Tensor
    """[M, K] float32: cosine similarity; -inf where the index is -1."""


def nearest(
    query_MD: Tensor,
    gallery_ND: Tensor,
    k: int,
    *,
    query_group_M: Tensor | None = None,
    gallery_group_N: Tensor | None = None,
) -> Neighbours:
    """Find the k gallery items nearest to every query.

    Extra memory: on a CPU a copy of the gallery; 64 MiB for a block of scores, up to 0.5 GiB
    while rows with a tie at position k are settled, and 12 bytes per result.

    Args:
        query_MD: [M, D] float32, rows of unit norm.
        gallery_ND: [N, D] float32, rows of unit norm, on the same device.
        k: Results per query, at least 1; may exceed N.
        query_group_M: [M] integers, or [M, J] of J kinds, or None to keep every candidate.
        gallery_group_N: [N] or [N, J] integers: an item of the query's own group, of any kind, is
            left out (within one modality: the query itself, its variants, the same picture).

    Returns:
        Exactly k results per query, by score, equal scores by gallery index.

    Raises:
        ValueError: k is below 1, shapes or types do not fit, or an embedding is not finite.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    M, N = len(query_MD), len(gallery_ND)
    index_MK = torch.full((M, k), -1, dtype=torch.int64, device=query_MD.device)
    score_MK = query_MD.new_full((M, k), -torch.inf)
    width = min(k, N)
    for rows, score_BN in score_blocks(
        query_MD, gallery_ND, query_group_M=query_group_M, gallery_group_N=gallery_group_N
    ):
        index_BK = best_columns(score_BN, width)
        score_MK[rows, :width] = score_BN.gather(1, index_BK)
        index_MK[rows, :width] = index_BK
    index_MK[score_MK == -torch.inf] = -1
    return Neighbours(index_MK, score_MK)


def class_hits(
    index_MK: Tensor, query_label_M: Tensor, gallery_label_N: Tensor, k: Sequence[int]
) -> Tensor:
    """Whether a query's class is among its first results; the mean over queries is R@K.

        R@K = share of the queries with an item of their class in the top K      (HUSE section 4)

    A query whose class has no candidate in the gallery can only miss; `candidates_of_class` tells
    which those are.

    Args:
        index_MK: [M, K] gallery index of the results, -1 for none, as `nearest` gives them.
        query_label_M: [M] integer class.
        gallery_label_N: [N] integer class.
        k: Cut-offs, each in 1..K.

    Returns:
        [M, C] bool, one column per cut-off.

    Raises:
        ValueError: A cut-off lies outside 1..K.
    """
    if not k or min(k) < 1 or max(k) > index_MK.shape[1]:
        raise ValueError(f"cut-offs must lie in 1..{index_MK.shape[1]}, got {list(k)}")
    if len(gallery_label_N) == 0:
        return torch.zeros(len(index_MK), len(k), dtype=torch.bool, device=index_MK.device)
    index_MK = index_MK[:, : max(k)]
    same_MK = gallery_label_N[index_MK.clamp(min=0)] == query_label_M[:, None]
    same_MK &= index_MK >= 0
    found_MK = same_MK.cumsum(1) > 0
    return found_MK[:, torch.tensor(k, device=index_MK.device) - 1]
