"""Candidates that are left out: the query itself, and what would make a result worthless.

Shape letters: M queries, N gallery items, J kinds of groups, B queries of one block, P pairs.
"""

from itertools import combinations

import torch
from torch import Tensor


def worthless_results(product_N: Tensor, picture_N: Tensor, text_N: Tensor) -> dict[str, Tensor]:
    """Say what a query may not find within one modality, since it would be found for no merit.

    That is its own product; to a picture the same picture, to a text the same text; to both
    together an item that has both the same.

    Args:
        product_N: [N] int64 numbers that items of one product share; see
            `pipeline.catalog.components.number_values`.
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
        self._kinds = [
            _OneKind(query_M, gallery_N)
            for query_M, gallery_N in zip(self._query_MJ.T, self._gallery_NJ.T, strict=True)
        ]

    def pairs(self, rows: slice) -> tuple[Tensor, Tensor]:
        """List the pairs that share a group, each once, for a block of queries.

        Args:
            rows: Which queries.

        Returns:
            Row within the block [P] and gallery index [P], int64.
        """
        query_BJ = self._query_MJ[rows]
        found = []
        for j, kind in enumerate(self._kinds):
            row_P, item_P = kind.pairs(rows)
            if j > 0:
                listed_P = (query_BJ[row_P, :j] == self._gallery_NJ[item_P, :j]).any(dim=1)
                row_P, item_P = row_P[~listed_P], item_P[~listed_P]
            found.append((row_P, item_P))
        rows_found, items_found = zip(*found, strict=True)
        return torch.cat(rows_found), torch.cat(items_found)


class _OneKind:
    """The pairs of one kind of groups."""

    def __init__(self, query_group_M: Tensor, gallery_group_N: Tensor) -> None:
        group_N, self._order_N = torch.sort(gallery_group_N, stable=True)
        self._first_M = torch.searchsorted(group_N, query_group_M.contiguous())
        last_M = torch.searchsorted(group_N, query_group_M.contiguous(), right=True)
        self._count_M = last_M - self._first_M

    def pairs(self, rows: slice) -> tuple[Tensor, Tensor]:
        first_B, count_B = self._first_M[rows], self._count_M[rows]
        row_P = torch.repeat_interleave(count_B)
        begin_B = count_B.cumsum(0) - count_B
        step_P = torch.arange(len(row_P), device=row_P.device) - begin_B[row_P]
        return row_P, self._order_N[first_B[row_P] + step_P]


def count_candidates(
    num_queries: int,
    num_items: int,
    query_group_M: Tensor | None = None,
    gallery_group_N: Tensor | None = None,
    *,
    query_label_M: Tensor | None = None,
    gallery_label_N: Tensor | None = None,
) -> Tensor:
    """Count what each query is compared with, without a pair being listed.

    Args:
        num_queries: M.
        num_items: N.
        query_group_M: [M] or [M, J] integers, or None where no candidate is left out.
        gallery_group_N: [N] or [N, J] integers; see `OwnGroup`.
        query_label_M: [M] integer class, to count candidates of the query's class alone.
        gallery_label_N: [N] integer class.

    Returns:
        [M] int64.
    """
    device = query_label_M.device if query_label_M is not None else None
    if query_group_M is not None:
        device = query_group_M.device
    query_label_M1 = torch.zeros(num_queries, 0, dtype=torch.int64, device=device)
    gallery_label_N1 = torch.zeros(num_items, 0, dtype=torch.int64, device=device)
    if query_label_M is not None and gallery_label_N is not None:
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
