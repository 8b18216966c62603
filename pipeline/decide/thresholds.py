"""How certain an answer must be: a threshold per level of the tree, from validation items.

Shape letters: N items, L levels.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import betaincinv

STARTS = 5
"""Searches for a threshold: from the smallest set that could speak for the precision, if all of it
is right, to the set of all items."""
STEP = 0.01
"""Share of the items by which a search goes on."""


class Threshold(NamedTuple):
    """What an answer at one level of the tree has to reach."""

    level: int
    """1 is the most general part of a class path."""
    least: float | None
    """Probability from which an item is filed here; None: no threshold keeps the precision."""
    items: int
    """Validation items that are filed here."""
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
    until one fails. That holds for new items that come as the validation items do;
    items of one group, which are right or wrong together, count as one (so a set of 300 items in
    100 groups is a sample of 100).

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
    rest = np.arange(len(confidence_NL))
    found = []
    for level in range(levels, 0, -1):
        order = np.argsort(-confidence_NL[rest, level - 1], kind="stable")
        certain_M = confidence_NL[rest, level - 1][order]
        right_M = right_NL[rest, level - 1][order]
        count = _largest_set(certain_M, right_M, group_N[rest][order], precision, risk)
        least = float(certain_M[count - 1]) if count else None
        found.append(Threshold(level, least, count, int(right_M[:count].sum())))
        rest = rest[order[count:]]
    return found[::-1]


def lower_bound(right: float, items: float, risk: float) -> float:
    """Least share that `right` of `items` speak for, by Clopper and Pearson; wrong with `risk`."""
    return float(betaincinv(right, items - right + 1, risk)) if right > 0 else 0.0


def choose_level(confidence_NL: np.ndarray, thresholds: Sequence[Threshold]) -> np.ndarray:
    """Tell at which level each item is filed: [N] int64, 0 for none."""
    level_N = np.zeros(len(confidence_NL), dtype=np.int64)
    for one in thresholds:  # the deepest that passes comes last
        if one.least is not None:
            level_N[confidence_NL[:, one.level - 1] >= one.least] = one.level
    return level_N


def _largest_set(
    certain_M: np.ndarray, right_M: np.ndarray, group_M: np.ndarray, precision: float, risk: float
) -> int:
    """How many of the items, the most certain first, keep the precision; 0: no set does."""
    items = len(certain_M)
    if not items:
        return 0
    right_sum_M = np.cumsum(right_M)
    # Groups among the first 1, 2, ... items: where one is seen for the first time.
    first_M = np.zeros(items, dtype=np.int64)
    first_M[np.unique(group_M, return_index=True)[1]] = 1
    groups_M = np.cumsum(first_M)
    fewest = math.ceil(math.log(risk) / math.log(precision))
    if groups_M[-1] < fewest:
        return 0
    step = max(1, round(STEP * items))
    largest = 0
    # Where a search begins and goes on depends on what is certain and not on what is right: else
    # the bound would not hold.
    for groups in np.geomspace(fewest, groups_M[-1], STARTS).round():
        for wanted in range(int(np.searchsorted(groups_M, groups)) + 1, items + 1, step):
            # Items that are as certain as the last go with it: a threshold cannot part them.
            count = int(np.searchsorted(-certain_M, -certain_M[wanted - 1], side="right"))
            witnesses = int(groups_M[count - 1])
            right = right_sum_M[count - 1] * witnesses / count
            if lower_bound(right, witnesses, risk) < precision:
                break
            largest = max(largest, count)
    return largest
