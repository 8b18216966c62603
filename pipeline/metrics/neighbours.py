"""Every query against the whole gallery: who may be found, and how similar it is.

Shape letters: M queries, N gallery items, D embedding, J kinds of groups, B queries of one block,
P pairs.
"""

from collections.abc import Iterator
from itertools import combinations
from math import ceil

import torch
from torch import Tensor
from torch.nn import functional

# 256 rows keep a matrix product at full speed. The second bound caps a block at 64 MiB however
# large the gallery is.
ROWS_PER_BLOCK = 256
SCORES_PER_BLOCK = 2**24
# 16 MiB: what one product of oneDNN returns. From 32 MiB on glibc maps fresh pages every time,
# which costs a third of the speed.
SCORES_PER_TILE = 2**22


def worthless_results(product_N: Tensor, picture_N: Tensor, text_N: Tensor) -> dict[str, Tensor]:
    """Say what a query may not find within one modality, since it would be found for no merit.

    That is its own product; to a picture the same picture, to a text the same text; to both
    together an item that has both the same.

    Args:
        product_N: [N] int64 numbers that items of one product share.
        picture_N: [N] int64 numbers of the pictures' contents.
        text_N: [N] int64 numbers of the texts.

    Returns:
        [N, 2] groups by modality (image, text, fused) for `OwnGroup`.
    """
    both_N2 = torch.stack((picture_N, text_N), dim=1)
    both_N = torch.unique(both_N2, dim=0, return_inverse=True)[1]
    return {
        "image": torch.stack((product_N, picture_N), dim=1),
        "text": torch.stack((product_N, text_N), dim=1),
        "fused": torch.stack((product_N, both_N), dim=1),
    }


class OwnGroup:
    """Where the gallery holds items that a query may not find.

    There may be several kinds of groups, such as the product and the picture. An item of the
    query's group of any kind is left out; an item of that item's other group is not, so there are
    no chains.
    """

    def __init__(self, query_group_M: Tensor, gallery_group_N: Tensor) -> None:
        """Sort the gallery by group; memory grows with M + N, not with the pairs.

        Args:
            query_group_M: [M] integers, or [M, J].
            gallery_group_N: [N] integers, or [N, J].
        """
        self._query_MJ, self._gallery_NJ = _by_kind(query_group_M), _by_kind(gallery_group_N)
        query_JM = self._query_MJ.T.contiguous()
        group_JN, self._order_JN = torch.sort(self._gallery_NJ.T.contiguous(), dim=1, stable=True)
        self._first_JM = torch.searchsorted(group_JN, query_JM)
        self._count_JM = torch.searchsorted(group_JN, query_JM, right=True) - self._first_JM

    def pairs(self, rows: slice) -> tuple[Tensor, Tensor]:
        """List the pairs that share a group, each once, for a block of queries.

        Returns:
            Row within the block [P] and gallery index [P], int64.
        """
        query_BJ = self._query_MJ[rows]
        found = []
        for j, order_N in enumerate(self._order_JN):
            first_B, count_B = self._first_JM[j, rows], self._count_JM[j, rows]
            row_P = torch.repeat_interleave(count_B)
            begin_B = count_B.cumsum(0) - count_B
            step_P = torch.arange(len(row_P), device=row_P.device) - begin_B[row_P]
            item_P = order_N[first_B[row_P] + step_P]
            # Those that share a group of an earlier kind are listed already.
            listed_P = (query_BJ[row_P, :j] == self._gallery_NJ[item_P, :j]).any(dim=1)
            found.append((row_P[~listed_P], item_P[~listed_P]))
        row, item = zip(*found, strict=True)
        return torch.cat(row), torch.cat(item)


def candidates_of_class(
    query_label_M: Tensor,
    gallery_label_N: Tensor,
    *,
    query_group_M: Tensor | None = None,
    gallery_group_N: Tensor | None = None,
) -> Tensor:
    """Count what each query is to find: gallery items of its class, without a pair being listed.

    Args:
        query_label_M: [M] integer class.
        gallery_label_N: [N] integer class.
        query_group_M: [M] or [M, J] integers, or None where no candidate is left out.
        gallery_group_N: [N] or [N, J] integers; see `OwnGroup`.

    Returns:
        [M] int64. A query with none is unanswerable.
    """
    query_label_M1, gallery_label_N1 = query_label_M[:, None], gallery_label_N[:, None]
    count_M = _alike(query_label_M1, gallery_label_N1)
    if query_group_M is None or gallery_group_N is None:
        return count_M
    query_MJ, gallery_NJ = _by_kind(query_group_M), _by_kind(gallery_group_N)
    # Items that share a group of any kind, by inclusion and exclusion.
    kinds = range(query_MJ.shape[1])
    for size in range(1, len(kinds) + 1):
        for chosen in map(list, combinations(kinds, size)):
            alike_M = _alike(
                torch.cat((query_label_M1, query_MJ[:, chosen]), dim=1),
                torch.cat((gallery_label_N1, gallery_NJ[:, chosen]), dim=1),
            )
            count_M = count_M + (-1) ** size * alike_M
    return count_M


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
    tiles = cut_tiles(gallery_ND, parts[0].stop)
    own_group = None
    if query_group_M is not None and gallery_group_N is not None:
        own_group = OwnGroup(query_group_M, gallery_group_N)
    for part in parts:
        multiply(query_MD[part], tiles, out_BN=buffer_BN)
        rows = slice(part.start, min(part.stop, M))
        score_BN = buffer_BN[: rows.stop - rows.start]
        if own_group is not None:
            score_BN[own_group.pairs(rows)] = -torch.inf
        yield rows, score_BN


def cut_tiles(gallery_ND: Tensor, rows: int) -> list[tuple[slice, Tensor]]:
    """Prepare a gallery for products with so many queries at a time: columns, and their items.

    On a CPU, oneDNN computes them where torch has it: MKL, behind `torch.mm`, leaves the AVX-512
    units of some AMD processors idle and is less than half as fast there. That takes a copy of
    the gallery, made once and not for every block of queries.
    """
    if gallery_ND.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return [(slice(None), gallery_ND)]
    tiles = _equal_parts(len(gallery_ND), SCORES_PER_TILE // rows)
    return [(tile, gallery_ND[tile].to_mkldnn()) for tile in tiles]


def multiply(query_BD: Tensor, tiles: list[tuple[slice, Tensor]], *, out_BN: Tensor) -> None:
    """Write [B, N] products of contiguous queries with a gallery's tiles, in full float32."""
    for tile, gallery in tiles:
        if gallery.is_mkldnn:
            out_BN[:, tile] = functional.linear(query_BD.to_mkldnn(), gallery).to_dense()
        else:
            torch.mm(query_BD, gallery.T, out=out_BN)


def _alike(query_MJ: Tensor, gallery_NJ: Tensor) -> Tensor:
    """[M] gallery rows that are equal to the query's row in every column."""
    number = torch.zeros(len(query_MJ) + len(gallery_NJ), dtype=torch.int64, device=query_MJ.device)
    for column in torch.cat((query_MJ, gallery_NJ)).T:
        distinct, value = torch.unique(column, return_inverse=True)
        number = torch.unique(number * len(distinct) + value, return_inverse=True)[1]
    M = len(query_MJ)
    found_N = number[M:].sort().values
    wanted_M = number[:M].contiguous()
    return torch.searchsorted(found_N, wanted_M, right=True) - torch.searchsorted(found_N, wanted_M)


def _by_kind(group: Tensor) -> Tensor:
    """[N, J] of [N] or [N, J]."""
    return group[:, None] if group.ndim == 1 else group


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
