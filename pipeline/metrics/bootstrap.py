"""How far a figure could have come out otherwise: bootstrap over groups of queries.

Shape letters: M queries, G groups, C figures, S resamples.
"""

import numpy as np

# 8 Mi weights of 8 bytes: 64 MiB at a time.
WEIGHTS_PER_BLOCK = 2**23
LEVEL = 0.95
"""Probability that an interval covers."""


def resampled_means(
    value_MC: np.ndarray, group_M: np.ndarray, *, seed: int, resamples: int = 1000
) -> np.ndarray:
    """Means of figures after drawing the groups of queries anew with replacement, many times.

    Queries of one group, such as variants of a product, hit or miss together; drawn one by one
    they would count as so many witnesses, and intervals come out too narrow (cluster bootstrap:
    Field and Welsh 2007). All figures use the same draws, so differences of columns are paired.

    Args:
        value_MC: [M, C] float or bool: each query's contribution to each figure, for example its
            hits at several K; NaN where the query is not in the figure's mean.
        group_M: [M] integers, one value per group.
        seed: Of the draws.
        resamples: Number of draws.

    Returns:
        [S, C] float64 means of the queries that count; NaN where a draw has none.

    Raises:
        ValueError: There are no queries, or an argument is out of range.
    """
    if value_MC.ndim != 2 or len(value_MC) == 0:
        raise ValueError(f"values must be [M, C] with at least one query, got {value_MC.shape}")
    if group_M.shape != (len(value_MC),):
        raise ValueError(f"groups must be [{len(value_MC)}], got {group_M.shape}")
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}")
    value_MC = value_MC.astype(np.float64)
    counted_MC = ~np.isnan(value_MC)
    number_M = np.unique(group_M, return_inverse=True)[1]
    G, C = int(number_M.max()) + 1, value_MC.shape[1]
    sum_GC, count_GC = np.zeros((G, C)), np.zeros((G, C))
    np.add.at(sum_GC, number_M, np.where(counted_MC, value_MC, 0.0))
    np.add.at(count_GC, number_M, counted_MC)
    generator = np.random.default_rng(seed)
    mean_SC = np.empty((resamples, C))
    block = max(1, WEIGHTS_PER_BLOCK // G)
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        weight_SG = np.empty((rows, G))
        for row in range(rows):
            weight_SG[row] = np.bincount(generator.integers(0, G, size=G), minlength=G)
        count_SC = weight_SG @ count_GC
        drawn_SC = np.where(count_SC > 0, count_SC, np.nan)
        mean_SC[start : start + rows] = weight_SG @ sum_GC / drawn_SC
    return mean_SC


def interval_ends(mean_SC: np.ndarray, *, level: float = LEVEL) -> np.ndarray:
    """Percentile interval of [S, C] resampled means, or of their differences.

    Returns:
        [C, 2] float64: lower and upper end; NaN where no draw gave a mean.

    Raises:
        ValueError: The level is out of range.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie in 0..1, got {level}")
    tail = (1 - level) / 2
    ends_C2 = np.full((mean_SC.shape[1], 2), np.nan)
    some_C = ~np.isnan(mean_SC).all(axis=0)
    if some_C.any():
        ends_C2[some_C] = np.nanquantile(mean_SC[:, some_C], [tail, 1 - tail], axis=0).T
    return ends_C2
