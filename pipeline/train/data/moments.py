"""Mean and standard deviation of rows that come in pieces.

Shape letters: N rows of a piece, F feature.
"""

import numpy as np
import torch

from pipeline.features.text_input import MixedText, TextInput


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

    def two_rows(self) -> np.ndarray:
        """The smallest matrix with the mean and (population) standard deviation of all rows.

        Returns:
            [2, F] float64.
        """
        std_F = np.sqrt(self._square_sum_F / self._count)
        return np.stack([self._mean_F - std_F, self._mean_F + std_F])


class TextMoments:
    """The same for text features, of whose sparse part the mean square of the norms is kept."""

    def __init__(self) -> None:
        """Start with no rows."""
        self._dense = Moments()
        self._square_norm = Moments()
        self._num_words = 0

    def add(self, text: TextInput) -> None:
        """Take rows into account.

        Args:
            text: N texts on the CPU, N >= 1.
        """
        if isinstance(text, MixedText):
            self._dense.add(text.dense_NT.numpy())
            square_N = text.weight_NL.double().square().sum(dim=1)
            self._square_norm.add(square_N[:, None].numpy())
            self._num_words = text.num_words
        else:
            self._dense.add(text.numpy())

    def two_rows(self) -> TextInput:
        """Two texts with the mean, standard deviation and mean square norm of all.

        Returns:
            float64 features of two texts.
        """
        dense_2T = torch.from_numpy(self._dense.two_rows())
        if not self._num_words:
            return dense_2T
        mean_square = float(self._square_norm.two_rows().mean())
        return MixedText(
            dense_2T,
            torch.zeros(2, 1, dtype=torch.int32),
            torch.full((2, 1), mean_square**0.5, dtype=torch.float64),
            self._num_words,
        )
