"""Answers with a confidence: how right the most confident are, and whether it is to be trusted.

Shape letters: N answers, C coverages, B bins.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Bin(NamedTuple):
    """Some answers of like confidence."""

    confidence: float
    """Mean of theirs."""
    right: float
    """Share of them that is right."""
    items: int


def precision_at_coverage(
    confidence_N: np.ndarray, right_N: np.ndarray, coverage: Sequence[float]
) -> np.ndarray:
    """Share that is right among the most confident answers.

    That is the complement of selective risk (El-Yaniv and Wiener 2010; Geifman and El-Yaniv 2017).
    Of equally confident answers at the edge each counts in part, so that their order does not
    matter.

    Args:
        confidence_N: [N] float.
        right_N: [N] bool.
        coverage: C shares of the answers, in (0, 1].

    Returns:
        [C] float64; NaN without answers.

    Raises:
        ValueError: A coverage is out of range.
    """
    if any(not 0 < share <= 1 for share in coverage):
        raise ValueError(f"coverages in (0, 1] expected, got {list(coverage)}")
    if len(confidence_N) == 0:
        return np.full(len(coverage), np.nan)
    _, group_N, size_G = np.unique(-confidence_N, return_inverse=True, return_counts=True)
    right_G = np.bincount(group_N, weights=right_N)
    edge = np.concatenate([[0], np.cumsum(size_G)])
    reached_C = np.asarray(coverage) * len(confidence_N)
    return np.interp(reached_C, edge, np.concatenate([[0], np.cumsum(right_G)])) / reached_C


def reliability(confidence_N: np.ndarray, right_N: np.ndarray, bins: int = 15) -> list[Bin]:
    """Sort answers by confidence into bins of like size: what is said, and what holds.

    A bin that all share one confidence with another is one with it.
    """
    if len(confidence_N) == 0:
        return []
    edge_B = np.unique(np.quantile(confidence_N, np.linspace(0, 1, bins + 1)))
    number_N = np.searchsorted(edge_B[1:-1], confidence_N, side="left")
    found = []
    for number in np.unique(number_N):
        chosen_N = number_N == number
        found.append(
            Bin(
                float(confidence_N[chosen_N].mean(dtype=np.float64)),
                float(right_N[chosen_N].mean()),
                int(chosen_N.sum()),
            )
        )
    return found


def calibration_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error: mean gap between confidence and share right, over all answers.

    Naeini et al. 2015 with bins of like size (adaptive: Nixon et al. 2019), as most answers are
    near 1 and bins of like width would be empty.
    """
    items = sum(one.items for one in bins)
    return sum(one.items * abs(one.confidence - one.right) for one in bins) / items
