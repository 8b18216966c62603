"""Hierarchical precision, recall and F1: how much of a path is right.

Shape letters: N items, K classes, J nodes that can be predicted, P pairs of both.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class PathOverlap(NamedTuple):
    """How much of the predicted paths is true, and how much of the true ones is predicted."""

    precision: float
    recall: float
    f1: float


def path_overlap(
    label_N: np.ndarray,
    predicted_N: np.ndarray,
    class_parts: Sequence[Sequence[str]],
    node_parts: Sequence[Sequence[str]],
) -> PathOverlap:
    """Compare paths as sets of nodes: each node of a path, without the root.

        precision = nodes that the true and the predicted path share / nodes of the predicted path
        recall    = the same                                         / nodes of the true path
        F1        = 2 * precision * recall / (precision + recall)

    each sum over all items before it is divided (Kiritchenko et al. 2006; Silla and Freitas
    2011). A prediction may be an inner node of the tree: who says less has less to be wrong
    with and less to be right with. The root is what all classes share: where all paths begin with
    `shop`, `shop` is no merit.

    Args:
        label_N: [N] integer class in 0..K-1.
        predicted_N: [N] integer node in 0..J-1.
        class_parts: K class paths, most general part first.
        node_parts: J paths of what is predicted: the classes again, or nodes above them too; an
            empty path is the whole tree.

    Returns:
        The three figures, in 0..1; 0 where nothing is predicted.
    """
    root = _shared_by_all(class_parts)
    pair_P2, items_P = np.unique(
        np.stack((label_N, predicted_N), axis=1), axis=0, return_counts=True
    )
    shared = said = true = 0
    for (label, node), items in zip(pair_P2.tolist(), items_P.tolist(), strict=True):
        actual, predicted = class_parts[label], node_parts[node]
        shared += items * max(_shared_levels(actual, predicted) - root, 0)
        said += items * max(len(predicted) - root, 0)
        true += items * (len(actual) - root)
    precision, recall = shared / max(said, 1), shared / max(true, 1)
    return PathOverlap(precision, recall, 2 * shared / max(said + true, 1))


def _shared_by_all(class_parts: Sequence[Sequence[str]]) -> int:
    """Leading parts that all paths have; of sorted paths the first and last differ most."""
    paths = sorted(map(list, class_parts))
    return _shared_levels(paths[0], paths[-1])


def _shared_levels(first: Sequence[str], second: Sequence[str]) -> int:
    """Leading parts that two paths have in common."""
    levels = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        levels += 1
    return levels
