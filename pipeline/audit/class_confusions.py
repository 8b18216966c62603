"""Classes that the features of their items put elsewhere than the tree does.

Shape letters: N items, K classes.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.core.share_interval import share_interval

CONFIDENCE = 0.95
LEAST_ERROR = 0.25
"""Balanced error that a pair has to exceed at the lower end of its interval: halfway between
classes that are always told apart, 0, and a coin, 0.5."""
LEAST_SHARE = 0.5
"""Share of a class's items that another branch has to exceed at the lower end of its interval."""
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
        intervals = [share_interval(k, n, CONFIDENCE) for k, n in zip(wrong, total, strict=True)]
        low, high = (float(np.mean(ends)) for ends in zip(*intervals, strict=True))
        if low > LEAST_ERROR:
            error = float(np.mean([k / n for k, n in zip(wrong, total, strict=True)]))
            (fewer, one), (more, other) = sorted(zip(total, (a, b), strict=True))
            rows.append((paths[one], paths[other], fewer, more, error, low, high))
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values("low", ascending=False, kind="stable", ignore_index=True)


def find_nearer_branches(
    label_N: np.ndarray, rival_N: np.ndarray, parts_K: Sequence[Sequence[str]], separator: str
) -> pd.DataFrame:
    """Find classes whose items would rather be in another branch of the tree than in their own.

    Where an item's class is out of the question, the next best says where it belongs: to a class
    of the same branch, if the tree follows what things look like and are called. Branches begin
    where the tree first divides. A class that is a branch of its own has no other there.

    Args:
        label_N: [N] int64 classes that items are filed under.
        rival_N: [N] int64: the most probable other class of each, by a classifier that was not
            fitted on it.
        parts_K: Parts of the K class paths.
        separator: What joins them.

    Returns:
        `path`, `other` (the branch), `items` of the class, `other_items` of the branch, `error`
        (the share of the class's items whose rival is in the branch), `low`, `high` (Wilson); the
        most certain first.
    """
    branch_K = _branches(parts_K)
    of_own = Counter(branch_K)
    items_of = Counter(branch_K[label] for label in label_N.tolist())
    rivals: dict[int, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for label, rival in zip(label_N.tolist(), rival_N.tolist(), strict=True):
        rivals[label][branch_K[rival]] += 1
    rows = []
    for label, counts in sorted(rivals.items()):
        branch, count = counts.most_common(1)[0]
        if branch == branch_K[label] or of_own[branch_K[label]] == 1:
            continue
        total = counts.total()
        low, high = share_interval(count, total, CONFIDENCE)
        if low > LEAST_SHARE:
            names = separator.join(parts_K[label]), separator.join(branch)
            share = count / total
            rows.append((*names, total, items_of[branch], share, low, high))
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values("low", ascending=False, kind="stable", ignore_index=True)


def _branches(parts_K: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """The beginning of each path, down to where not all are the same."""
    paths = [tuple(parts) for parts in parts_K]
    depth = 1
    while len({path[:depth] for path in paths}) == 1 and any(len(path) > depth for path in paths):
        depth += 1
    return [path[:depth] for path in paths]
