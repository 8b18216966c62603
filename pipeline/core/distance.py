"""Cosine distance, the only distance of this project: d(u, v) = 1 - cos(u, v) (HUSE section 3).

Shape letters: M, N rows, D dimension. Rows are expected to have unit norm, so that the cosine is
the dot product.
"""

from torch import Tensor


def pairwise(x_MD: Tensor, y_ND: Tensor) -> Tensor:
    """Distance between every row of x and every row of y.

    Args:
        x_MD: [M, D] float, rows of unit norm.
        y_ND: [N, D] float, rows of unit norm.

    Returns:
        [M, N] distances in [0, 2]; small is near.
    """
    return 1.0 - x_MD @ y_ND.T


def paired(x_ND: Tensor, y_ND: Tensor) -> Tensor:
    """[N, D], [N, D] of unit norm -> [N] distances in [0, 2]: row n of x to row n of y."""
    return 1.0 - (x_ND * y_ND).sum(dim=1)
