"""Means and spreads of features, put together from those of parts, and how far two are apart.

Shape letters: N items, F features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Moments:
    """The first two moments of each of F features."""

    count: int
    """Items that they are of."""
    mean_F: np.ndarray
    square_F: np.ndarray
    """Mean of the squares."""

    @classmethod
    def of(cls, feature_NF: np.ndarray) -> Moments:
        """Measure [N, F] features; of no items the moments are 0."""
        wide_NF = feature_NF.astype(np.float64)
        count = max(len(wide_NF), 1)
        return cls(len(wide_NF), wide_NF.sum(axis=0) / count, (wide_NF**2).sum(axis=0) / count)

    def plus(self, other: Moments) -> Moments:
        """Give the moments of both together.

        Raises:
            ValueError: The features are not as many.
        """
        count = self.count + other.count
        share = other.count / max(count, 1)
        return Moments(
            count,
            (1 - share) * self.mean_F + share * other.mean_F,
            (1 - share) * self.square_F + share * other.square_F,
        )


def feature_distance(mean: np.ndarray, square: np.ndarray, usual: Moments) -> np.ndarray:
    """Distance of features' moments from usual ones.

    Of one feature it is the standardised mean difference, and that of the deviations beside it:

        sqrt((mean - usual mean)^2 + (deviation - usual deviation)^2) / s
        s^2: mean of both variances

    and of all of them the root of the mean square. Divided by the usual deviation alone, features
    that hardly any usual item has would outvote all others. One that is always the same is left
    out.

    Args:
        mean: [..., F].
        square: [..., F] means of the squares.
        usual: Of F features.

    Returns:
        [...], 0 or more.
    """
    deviation_F = np.sqrt(np.maximum(usual.square_F - usual.mean_F**2, 0))
    varies_F = deviation_F > 1e-6 * np.sqrt(usual.square_F)
    mean, square, usual_F = mean[..., varies_F], square[..., varies_F], deviation_F[varies_F]
    variance = np.maximum(square - mean**2, 0)
    apart = (mean - usual.mean_F[varies_F]) ** 2 + (np.sqrt(variance) - usual_F) ** 2
    apart /= (variance + usual_F**2) / 2
    return np.sqrt(apart.mean(axis=-1))
