"""How exactly a share of a few cases is known."""

from math import sqrt
from statistics import NormalDist


def share_interval(right: int, count: int, confidence: float) -> tuple[float, float]:
    """Wilson's interval of a share, as `scipy.stats.binomtest` has it.

    That module takes a third as long to import as torch, and a command waits for it.

    Args:
        right: Cases that count, at most `count`.
        count: All cases, at least one.
        confidence: How sure the interval is to hold the share, below 1.

    Returns:
        Both ends, within 0 and 1.
    """
    right, count = int(right), int(count)  # NumPy's would make NumPy's of the ends
    deviations = NormalDist().inv_cdf((1 + confidence) / 2)
    share, spread = right / count, deviations**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread)
    return (middle - half if right else 0.0), (middle + half if right < count else 1.0)
