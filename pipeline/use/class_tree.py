"""Class probabilities -> predicted paths, and how far down the tree they are sure.

Shape letters: N items, K classes, J nodes of the class tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from pipeline.features.classes import Classes, item_classes


class Guess(NamedTuple):
    """A part of the class tree and how probable it is."""

    path: str
    """Parts joined by the catalogue's separator; empty: the whole tree."""
    probability: float


@dataclass(frozen=True)
class Prediction:
    """What is believed of one item's class."""

    top: list[Guess]
    """Most probable classes, best first."""
    sure: Guess
    """Deepest node of the tree that is at least as probable as the threshold."""


class ClassTree:
    """The nodes of a class tree: every class and every beginning of its path."""

    def __init__(self, classes: Classes) -> None:
        """List the nodes."""
        separator = classes["separator"]
        parts = [entry["parts"] for entry in item_classes(classes)]
        self.path_K = [separator.join(path) for path in parts]
        """K class paths."""
        below: dict[tuple[str, ...], list[int]] = {}
        for label, path in enumerate(parts):
            for depth in range(len(path) + 1):
                below.setdefault(tuple(path[:depth]), []).append(label)
        self.node_path_J = [separator.join(node) for node in below]
        """J paths of nodes; the root's is empty."""
        self._depth_J = np.array([len(node) for node in below])
        # A class is in as many nodes as it is deep: of twenty thousand classes, one entry in
        # thousands.
        pointer = np.cumsum([0, *map(len, below.values())])
        members = np.concatenate(list(below.values()))
        ones = np.ones(len(members), dtype=np.float32)
        self._member_JK = csr_matrix((ones, members, pointer), shape=(len(below), len(parts)))

    def predict(self, probability_NK: np.ndarray, *, k: int, threshold: float) -> list[Prediction]:
        """Name the `k` most probable classes, and the deepest node that is probable enough.

        A node's probability is the sum over the classes at and below it, so it falls on the way
        down; the root's is 1 and always passes. Of several nodes of the deepest level that pass,
        the most probable is taken; above a threshold of one half there is at most one.
        """
        node_NJ = np.minimum((self._member_JK @ probability_NK.T).T, 1.0)
        node_NJ[:, self._depth_J == 0] = 1.0
        # A probability is at most 1, so the level decides before it.
        rank_NJ = np.where(node_NJ >= threshold, 2.0 * self._depth_J + node_NJ, -1.0)
        order_NK = np.argsort(-probability_NK, axis=1, kind="stable")[:, :k]
        return [
            Prediction(
                [Guess(self.path_K[label], float(probability_NK[n, label])) for label in labels],
                Guess(self.node_path_J[j], float(node_NJ[n, j])),
            )
            for n, (labels, j) in enumerate(zip(order_NK, rank_NJ.argmax(axis=1), strict=True))
        ]
