"""What speaks for and against an item being of a class: numbers that tell misfiled items apart.

Shape letters: N items, S signals, A classes asked for, G pairs of a group and a class.
"""

from typing import NamedTuple

import numpy as np

from pipeline.audit.out_of_fold import OutOfFold
from pipeline.audit.tree import Tree

LEAST_LOG_P = -20.0
"""Below it, how improbable a class is says nothing more."""


class Described(NamedTuple):
    """Items as if they were of some class each."""

    signal_NS: np.ndarray
    """[N, S] float64: by both modalities together, image and text each the log probability of
    the class and that of the best other one less it; items of the class outside the fold; and per
    kind of group (product, picture, text) how many others of the item's group are of the class and
    how many are not, counts as log(1 + count)."""
    distance_N: np.ndarray
    """[N] int64 edges in the class tree from the class to the best other one, by both together."""


def describe(
    found: OutOfFold,
    column: int,
    asked_N: np.ndarray,
    label_N: np.ndarray,
    shared_N3: np.ndarray,
    tree: Tree,
) -> Described:
    """Describe each item as if it were of the class asked for.

    Args:
        found: What is said out of fold.
        column: Where the class is among those that were asked for.
        asked_N: [N] int64: that class.
        label_N: [N] int64 given classes of all items.
        shared_N3: [N, 3] int64 numbers of the product, the picture and the text.
        tree: The class tree.
    """
    columns = []
    for opinion in (found.fused, found.image, found.text):
        log_p_N = np.maximum(opinion.log_p_NA[:, column], LEAST_LOG_P)
        log_other_N = np.maximum(opinion.best_other(asked_N)[1], LEAST_LOG_P)
        columns += [log_p_N, log_other_N - log_p_N]
    columns.append(np.log1p(found.support_NA[:, column]))
    for group_N in shared_N3.T:
        same_N, different_N = mates(group_N, label_N, asked_N, len(tree))
        columns += [np.log1p(same_N), np.log1p(different_N)]
    distance_N = tree.distance(asked_N, found.fused.best_other(asked_N)[0])
    return Described(np.stack(columns, axis=1).astype(np.float64), distance_N)


def mates(
    group_N: np.ndarray, label_N: np.ndarray, asked_N: np.ndarray, num_classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Count the other items of each item's group: of the class asked for, and of any other class.

    Args:
        group_N: [N] integers that items of a group share.
        label_N: [N] int64 given classes.
        asked_N: [N] int64 classes asked for.
        num_classes: K.

    Returns:
        [N] int64 each.
    """
    number_N = np.unique(group_N, return_inverse=True)[1]
    pair_G, count_G = np.unique(number_N * num_classes + label_N, return_counts=True)
    wanted_N = number_N * num_classes + asked_N
    at_N = np.minimum(np.searchsorted(pair_G, wanted_N), len(pair_G) - 1)
    same_N = np.where(pair_G[at_N] == wanted_N, count_G[at_N], 0) - (asked_N == label_N)
    return same_N, np.bincount(number_N)[number_N] - 1 - same_N
