"""How far a figure could have come out otherwise: bootstrap intervals over the queries.

Shape letters: M queries, C figures, S resamples.
"""

import numpy as np

# 8 Mi weights of 8 bytes: 64 MiB at a time.
WEIGHTS_PER_BLOCK = 2**23


def bootstrap_intervals(
    value_MC: np.ndarray, *, seed: int, resamples: int = 1000, level: float = 0.95
) -> np.ndarray:
    """Percentile bootstrap of means: draw the M queries anew with replacement, many times.

    All figures use the same draws, so they stay comparable with each other.

    Args:
        value_MC: [M, C] float or bool: each query's contribution to each figure, for example its
            hits at several K; the figure is the column's mean. M is at least 1.
        seed: Of the draws.
        resamples: Number of draws.
        level: Probability that the interval covers, in 0..1 exclusive.

    Returns:
        [C, 2] float64: lower and upper end.

    Raises:
        ValueError: There are no queries, or an argument is out of range.
    """
    if value_MC.ndim != 2 or len(value_MC) == 0:
        raise ValueError(f"values must be [M, C] with at least one query, got {value_MC.shape}")
    if resamples < 1 or not 0 < level < 1:
        raise ValueError(f"resamples must be at least 1 and level in 0..1: {resamples}, {level}")
    M, C = value_MC.shape
    value_MC = value_MC.astype(np.float64)
    generator = np.random.default_rng(seed)
    mean_SC = np.empty((resamples, C))
    block = max(1, WEIGHTS_PER_BLOCK // M)
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        weight_SM = np.empty((rows, M))
        for row in range(rows):
            weight_SM[row] = np.bincount(generator.integers(0, M, size=M), minlength=M)
        mean_SC[start : start + rows] = weight_SM @ value_MC / M
    tail = (1 - level) / 2
    return np.quantile(mean_SC, [tail, 1 - tail], axis=0).T
