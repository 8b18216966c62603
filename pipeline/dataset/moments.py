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
        """Take rows into account.

        Args:
            row_NF: [N, F] float, N >= 1.
        """
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

    def two_rows(self) -> Tensor:
        """The smallest matrix with the mean and (population) standard deviation of all rows.

        Returns:
            [2, F] float64.
        """
        std_F = np.sqrt(self._square_sum_F / self._count)
        return torch.from_numpy(np.stack([self._mean_F - std_F, self._mean_F + std_F]))
