"""How well a score tells strangers from own items, with intervals.

Shape letters: N own items, S strangers, D draws, G products.
"""

from typing import NamedTuple

import numpy as np

from pipeline.metrics.bootstrap import interval_ends

DRAWS = 1000
SHARE = 0.98
"""Of the validation items that are within the limit: index.near_share."""


class Measured(NamedTuple):
    """Figures of a score, and the same of every draw: own items by product, strangers one by one.

    Draws of all scores are the same, so that differences are paired. The limit stays as fitted.
    """

    alarms: float
    """Share of the test items beyond the limit."""
    detected: float
    """Share of the strangers beyond it."""
    auroc: float
    alarms_D: np.ndarray
    detected_D: np.ndarray
    auroc_D: np.ndarray


class Weights(NamedTuple):
    """How often every item is in a draw."""

    own_DN: np.ndarray
    stranger_DS: np.ndarray


def draw_weights(product_N: np.ndarray, strangers: int) -> Weights:
    """Draw products and strangers with replacement."""
    generator = np.random.default_rng(0)
    number_N = np.unique(product_N, return_inverse=True)[1]
    groups = int(number_N.max()) + 1
    own_DN = np.stack(
        [
            np.bincount(generator.integers(0, groups, groups), minlength=groups)[number_N]
            for _ in range(DRAWS)
        ]
    )
    stranger_DS = np.stack(
        [
            np.bincount(generator.integers(0, strangers, strangers), minlength=strangers)
            for _ in range(DRAWS)
        ]
    )
    return Weights(own_DN.astype(np.float32), stranger_DS.astype(np.float32))


def fit_limit(val_N: np.ndarray) -> float:
    """Score that SHARE of the validation items stay within."""
    return float(np.quantile(val_N, SHARE, method="higher"))


def measure(own_N: np.ndarray, stranger_S: np.ndarray, limit: float, weights: Weights) -> Measured:
    """Compare [N] scores of own test items with [S] of strangers."""
    own_N, stranger_S = np.asarray(own_N, np.float64), np.asarray(stranger_S, np.float64)
    over_NS = (stranger_S > own_N[:, None]).astype(np.float32)
    over_NS += 0.5 * (stranger_S == own_N[:, None])
    own_D, stranger_D = weights.own_DN.sum(axis=1), weights.stranger_DS.sum(axis=1)
    over_D = ((weights.own_DN @ over_NS) * weights.stranger_DS).sum(axis=1)
    return Measured(
        float((own_N > limit).mean()),
        float((stranger_S > limit).mean()),
        float(over_NS.mean(dtype=np.float64)),
        weights.own_DN @ (own_N > limit).astype(np.float32) / own_D,
        weights.stranger_DS @ (stranger_S > limit).astype(np.float32) / stranger_D,
        over_D / own_D / stranger_D,
    )


def with_interval(value: float, value_D: np.ndarray, sign: str = "") -> str:
    """Write a figure and its 95 % interval."""
    low, high = interval_ends(value_D[:, None])[0]
    return f"{value:{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"
