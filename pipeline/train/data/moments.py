"""Mean and standard deviation of rows that come in pieces.

Shape letters: N rows of a piece, F feature.
"""

import numpy as np
import torch
from torch import Tensor


class Moments:
    """Running mean and sum of squared deviations per feature (Chan, Golub and LeVeque 1979)."""

    def __init__(self) -> None:
        """Start with no rows."""
        self._count = 0
        self._mean_F: np.ndarray | float = 0.0
        self._square_sum_F: np.ndarray | float = 0.0

    def add(self, row_NF: np.ndarray) -> None:
        """Take [N, F] rows into account, N >= 1."""
        mean_F = row_NF.mean(axis=0, dtype=np.float64)
        total = self._count + len(row_NF)
        shift_F = mean_F - self._mean_F
        self._square_sum_F = (
            self._square_sum_F
            + row_NF.var(axis=0, dtype=np.float64) * len(row_NF)
            + shift_F**2 * (self._count * len(row_NF) / total)
        )
        self._mean_F = self._mean_F + shift_F * (len(row_NF) / total)
        self._count = total

    @property
    def mean_F(self) -> Tensor:
        """[F] float64."""
        return torch.as_tensor(self._mean_F)

    @property
    def std_F(self) -> Tensor:
        """[F] float64, of the population."""
        return torch.as_tensor(np.sqrt(self._square_sum_F / self._count))
