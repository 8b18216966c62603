"""Pairs of classes that the features of their items cannot tell apart.

Shape letters: N items, K classes.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest

CONFIDENCE = 0.95
LEAST_ERROR = 0.25
"""Balanced error that a pair has to exceed at the lower end of its interval: halfway between
classes that are always told apart, 0, and a coin, 0.5."""
COLUMNS = ["path", "other", "items", "other_items", "error", "low", "high"]


def find_inseparable(
    label_N: np.ndarray, predicted_N: np.ndarray, paths: Sequence[str]
) -> pd.DataFrame:
    """Find pairs of classes that are mistaken for each other nearly as often as not.

    The balanced error of a pair is the mean over both of the share of a class's items, of those
    predicted as one of the two, that were predicted as the other. It is 0.5 where the features say
    nothing, however unlike the classes are in size. Its interval has the mean ends of both shares'
    Wilson intervals, which is cautious.

    Args:
        label_N: [N] int64 classes that items are filed under.
        predicted_N: [N] int64 classes that a classifier predicts for items it was not fitted on.
        paths: K class paths.

    Returns:
        `path` (the class of fewer items), `other`, `items` and `other_items` that were predicted
        as one of the two, `error`, `low`, `high`; the most certain first.
    """
    counts = Counter(zip(label_N.tolist(), predicted_N.tolist(), strict=True))
    rows = []
    for a, b in sorted({(min(pair), max(pair)) for pair in counts if pair[0] != pair[1]}):
        wrong = counts[a, b], counts[b, a]
        total = wrong[0] + counts[a, a], wrong[1] + counts[b, b]
        if not all(total):
            continue
        intervals = [
            binomtest(k, n).proportion_ci(CONFIDENCE, method="wilson")
            for k, n in zip(wrong, total, strict=True)
        ]
        low, high = (
            float(np.mean([getattr(interval, end) for interval in intervals]))
            for end in ("low", "high")
        )
        if low > LEAST_ERROR:
            error = float(np.mean([k / n for k, n in zip(wrong, total, strict=True)]))
            (fewer, one), (more, other) = sorted(zip(total, (a, b), strict=True))
            rows.append((paths[one], paths[other], fewer, more, error, low, high))
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values("low", ascending=False, kind="stable", ignore_index=True)
