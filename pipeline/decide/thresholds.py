"""How certain an answer must be: a threshold per level of the tree, from validation items.

Shape letters: N items, L levels.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

STARTS = 5
"""Searches for a threshold: from the smallest set that could speak for the precision, if all of it
is right, to the set of all items."""
SEED = 0
"""Of the item that is drawn of each group."""
STEP = 0.01
"""Share of the items by which a search goes on."""


class Threshold(NamedTuple):
    """What an answer at one level of the tree has to reach."""

    level: int
    """1 is the most general part of a class path."""
    least: float | None
    """Probability from which an item is filed here; None: no threshold keeps the precision."""
    items: int
    """Validation items, one of each group, that are filed here."""
    right: int
    """Of these, the ones whose class is there."""


def fit_thresholds(
    confidence_NL: np.ndarray,
    right_NL: np.ndarray,
    group_N: np.ndarray,
    *,
    precision: float,
    confidence: float,
) -> list[Threshold]:
    """Find, level by level, how far down items can be filed at a wanted precision.

    An item is filed at the deepest level whose threshold it reaches. So the deepest level is fitted
    first, on all items, and each one above on the items that no deeper level takes: what is filed
    at *each* level has the precision, and hence all that is filed.

    The guarantee: with at least the given `confidence`, over the draw of the validation items, the
    share that is right among new items of the same kind is at least `precision`, at all levels
    together. It is that of *learn then test* (Angelopoulos et al. 2021, arXiv 2110.01052): the
    chance of being wrong is divided among the levels and among STARTS searches, each of which tests
    ever larger sets of the most certain items by an exact binomial bound (Clopper and Pearson 1934)
    until one fails. What it rests on:

    - New items come as the validation items do.
    - Items of one group are right or wrong together, so one of each is drawn and the others are
      left out: what is promised is the share of groups, of which a large one counts once.
    - A level's test is of what the deeper ones leave. Where these stop depends on how right their
      items are, but they stop at mistakes, so what they leave is rather worse than new items.
    - Validation items have also chosen among the training's weights and set the few numbers of
      the calibration. What that flatters is not in the bound; test items show it.

    Args:
        confidence_NL: [N, L] probability of the most probable node of each level, of validation
            items.
        right_NL: [N, L] bool: whether the item's class is at or below that node.
        group_N: [N] integers, one value per group.
        precision: Wanted, in (0, 1).
        confidence: Of the guarantee, in (0, 1).

    Returns:
        L thresholds, level 1 first.

    Raises:
        ValueError: A share is out of range.
    """
    if not (0 < precision < 1 and 0 < confidence < 1):
        raise ValueError(f"shares in (0, 1) expected, got {precision} and {confidence}")
    levels = confidence_NL.shape[1]
    risk = (1 - confidence) / (levels * STARTS)
    rest = _one_per_group(group_N)
    found = []
    for level in range(levels, 0, -1):
        order = np.argsort(-confidence_NL[rest, level - 1], kind="stable")
        certain_M = confidence_NL[rest, level - 1][order]
        right_M = right_NL[rest, level - 1][order]
        count = _largest_set(certain_M, right_M, precision, risk)
        least = float(certain_M[count - 1]) if count else None
        found.append(Threshold(level, least, count, int(right_M[:count].sum())))
        rest = rest[order[count:]]
    return found[::-1]


def lower_bound(right: float, items: float, risk: float) -> float:
    """Least share that `right` of `items` speak for, by Clopper and Pearson; wrong with `risk`."""
    # A search imports this module and decides nothing.
    from scipy.special import betaincinv

    return float(betaincinv(right, items - right + 1, risk)) if right > 0 else 0.0


def choose_level(confidence_NL: np.ndarray, thresholds: Sequence[Threshold]) -> np.ndarray:
    """Tell at which level each item is filed: [N] int64, 0 for none."""
    level_N = np.zeros(len(confidence_NL), dtype=np.int64)
    for one in thresholds:  # the deepest that passes comes last
        if one.least is not None:
            level_N[confidence_NL[:, one.level - 1] >= one.least] = one.level
    return level_N


def _one_per_group(group_N: np.ndarray) -> np.ndarray:
    """Positions of one item of each group, any equally likely, ascending."""
    order_N = np.random.default_rng(SEED).permutation(len(group_N))
    return np.sort(order_N[np.unique(group_N[order_N], return_index=True)[1]])


def _largest_set(certain_M: np.ndarray, right_M: np.ndarray, precision: float, risk: float) -> int:
    """How many of the items, the most certain first, keep the precision; 0: no set does."""
    items = len(certain_M)
    fewest = math.ceil(math.log(risk) / math.log(precision))
    if items < fewest:
        return 0
    right_sum_M = np.cumsum(right_M)
    step = max(1, round(STEP * items))
    largest = 0
    # Where a search begins and goes on depends on what is certain and not on what is right: else
    # the bound would not hold.
    for start in np.geomspace(fewest, items, STARTS).round().astype(int).tolist():
        for wanted in range(start, items + 1, step):
            # Items that are as certain as the last go with it: a threshold cannot part them.
            count = int(np.searchsorted(-certain_M, -certain_M[wanted - 1], side="right"))
            if lower_bound(right_sum_M[count - 1], count, risk) < precision:
                break
            largest = max(largest, count)
    return largest
