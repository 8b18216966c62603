"""Similarities of all queries to the whole gallery, one block of queries at a time.

Shape letters: M queries, N gallery items, D embedding, B queries of one block.
"""

from collections.abc import Iterator
from math import ceil

import torch
from torch import Tensor

from pipeline.metrics.own_group import OwnGroup

# 256 rows keep a matrix product at full speed. The second bound caps a block at 64 MiB however
# large the gallery is.
ROWS_PER_BLOCK = 256
SCORES_PER_BLOCK = 2**24
# 16 MiB: what one product of oneDNN returns. From 32 MiB on glibc maps fresh pages every time,
# which costs a third of the speed.
SCORES_PER_TILE = 2**22


def score_blocks(
    query_MD: Tensor,
    gallery_ND: Tensor,
    *,
    query_group_M: Tensor | None = None,
    gallery_group_N: Tensor | None = None,
) -> Iterator[tuple[slice, Tensor]]:
    """Yield the similarities of consecutive blocks of queries to every gallery item.

    Every score of a query comes from one matrix product, so equal gallery rows get equal scores
    and a row can be compared with any other. Score = dot product: for rows of unit norm the
    cosine, so 1 - score is the distance and the greatest score is the nearest item.

    Args:
        query_MD: [M, D] float32, rows of unit norm.
        gallery_ND: [N, D] float32, rows of unit norm, on the same device.
        query_group_M: [M] integers: the query's group; or [M, J], its groups of J kinds.
        gallery_group_N: [N] or [N, J] integers: the item's. An item of the query's group of any
            kind is no candidate; its score is -inf. Within one modality the groups leave out the
            query itself, so an item without variants needs a number of its own.

    Yields:
        The rows of the block, and their scores [B, N]. The scores live in a buffer that the next
        block overwrites. The last block may begin within the one before it.

    Raises:
        ValueError: Shapes or types do not fit, or an embedding is not finite.
    """
    _check(query_MD, gallery_ND, query_group_M, gallery_group_N)
    M, N = len(query_MD), len(gallery_ND)
    if M == 0 or N == 0:
        return
    if M == 1:
        # A product with a single row takes another routine with another rounding.
        query_MD = query_MD.expand(2, -1)
    query_MD, gallery_ND = query_MD.contiguous(), gallery_ND.contiguous()
    parts = _equal_parts(len(query_MD), min(ROWS_PER_BLOCK, SCORES_PER_BLOCK // N))
    buffer_BN = query_MD.new_empty(parts[0].stop, N)
    own_group = None
    if query_group_M is not None and gallery_group_N is not None:
        own_group = OwnGroup(query_group_M, gallery_group_N)
    for part in parts:
        multiply(query_MD[part], gallery_ND, out_BN=buffer_BN)
        rows = slice(part.start, min(part.stop, M))
        score_BN = buffer_BN[: rows.stop - rows.start]
        if own_group is not None:
            score_BN[own_group.pairs(rows)] = -torch.inf
        yield rows, score_BN


def multiply(query_BD: Tensor, gallery_ND: Tensor, *, out_BN: Tensor) -> None:
    """Write query_BD @ gallery_ND.T into a buffer, in full float32.

    On a CPU, oneDNN computes it where torch has it: MKL, behind `torch.mm`, leaves the AVX-512
    units of AMD processors idle and is less than half as fast there. The operator is the one that
    torch.compile emits for a frozen linear layer.

    Args:
        query_BD: [B, D] float32, contiguous.
        gallery_ND: [N, D] float32, contiguous.
        out_BN: [B, N] float32, overwritten.
    """
    if query_BD.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        torch.mm(query_BD, gallery_ND.T, out=out_BN)
        return
    for tile in _equal_parts(len(gallery_ND), SCORES_PER_TILE // len(query_BD)):
        out_BN[:, tile] = torch.ops.mkldnn._linear_pointwise(
            query_BD, gallery_ND[tile], None, "none", [], ""
        )


def _equal_parts(length: int, largest: int) -> list[slice]:
    """Cut into parts of one size, of which the last may reach back into the one before it.

    Products of one shape round alike. A single row or column would take another routine with
    another rounding, so a part has at least two.
    """
    count = ceil(length / max(2, largest))
    size = ceil(length / count)
    starts = [min(n * size, length - size) for n in range(count)]
    return [slice(start, start + size) for start in starts]


def _check(
    query_MD: Tensor,
    gallery_ND: Tensor,
    query_group_M: Tensor | None,
    gallery_group_N: Tensor | None,
) -> None:
    if query_MD.ndim != 2 or gallery_ND.ndim != 2 or query_MD.shape[1] != gallery_ND.shape[1]:
        raise ValueError(
            f"query and gallery must be [M, D] and [N, D], got {tuple(query_MD.shape)} "
            f"and {tuple(gallery_ND.shape)}"
        )
    for name, embedding in (("query", query_MD), ("gallery", gallery_ND)):
        if embedding.dtype != torch.float32:
            raise ValueError(f"{name} must be float32, got {embedding.dtype}")
        # A sum keeps every NaN and infinity, without a temporary of the embedding's size.
        if not torch.isfinite(embedding.sum()):
            raise ValueError(f"{name} holds values that are not finite")
    if (query_group_M is None) != (gallery_group_N is None):
        raise ValueError("give the groups of both query and gallery, or of neither")
    if query_group_M is not None and gallery_group_N is not None:
        found = (tuple(query_group_M.shape), tuple(gallery_group_N.shape))
        kinds = found[0][1:]
        if len(kinds) > 1 or found != ((len(query_MD), *kinds), (len(gallery_ND), *kinds)):
            raise ValueError(
                f"groups must be [{len(query_MD)}] and [{len(gallery_ND)}], or have a column per "
                f"kind, got {found[0]} and {found[1]}"
            )
