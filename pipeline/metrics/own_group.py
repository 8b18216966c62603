"""Candidates that are left out: the query itself and its variants.

Shape letters: M queries, N gallery items, B queries of one block, P pairs.
"""

import torch
from torch import Tensor


class OwnGroup:
    """Where the gallery holds items of a query's own group."""

    def __init__(self, query_group_M: Tensor, gallery_group_N: Tensor) -> None:
        """Sort the gallery by group; memory grows with M + N, not with the pairs.

        Args:
            query_group_M: [M] integers.
            gallery_group_N: [N] integers.
        """
        group_N, self._order_N = torch.sort(gallery_group_N, stable=True)
        self._first_M = torch.searchsorted(group_N, query_group_M)
        self._count_M = torch.searchsorted(group_N, query_group_M, right=True) - self._first_M

    def pairs(self, rows: slice) -> tuple[Tensor, Tensor]:
        """List the pairs of one group for a block of queries.

        Args:
            rows: Which queries.

        Returns:
            Row within the block [P] and gallery index [P], int64.
        """
        first_B, count_B = self._first_M[rows], self._count_M[rows]
        row_P = torch.repeat_interleave(count_B)
        begin_B = count_B.cumsum(0) - count_B
        step_P = torch.arange(len(row_P), device=row_P.device) - begin_B[row_P]
        return row_P, self._order_N[first_B[row_P] + step_P]
