"""The nodes of a class tree, and how probable each is.

Shape letters: N items, K classes, J nodes, L levels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from pipeline.features.classes import item_classes


class ClassTree:
    """Every class and every beginning of its path; node 0 is the whole tree."""

    def __init__(self, classes: Mapping[str, Any]) -> None:
        """Number the nodes by first appearance, so that a node comes after all above it.

        Args:
            classes: Content of classes.json; under `parts` its class paths are the K classes.
        """
        self.separator: str = classes["separator"]
        parts_K = [tuple(entry["parts"]) for entry in item_classes(classes)]
        self.levels = max(map(len, parts_K))
        """L, parts of the longest path."""
        number: dict[tuple[str, ...], int] = {(): 0}
        self.node_KL = np.full((len(parts_K), self.levels), -1, dtype=np.int64)
        """[K, L] node of each class at level 1, 2, ...; -1 below its end."""
        for label, parts in enumerate(parts_K):
            for level in range(1, len(parts) + 1):
                node = number.setdefault(parts[:level], len(number))
                self.node_KL[label, level - 1] = node
        self.path_J = [self.separator.join(node) for node in number]
        """J paths of nodes; the whole tree's is empty."""
        self.depth_J = np.array([len(node) for node in number])
        """[J] parts of each node's path."""
        self.depth_K = np.array([len(parts) for parts in parts_K])
        """[K] parts of each class path."""
        self.class_node_K = np.array([number[parts] for parts in parts_K])
        """[K] node that each class is."""
        self._level_nodes = [np.flatnonzero(self.depth_J == n) for n in range(1, self.levels + 1)]
        # A class is in as many nodes as it is deep: of twenty thousand classes, one entry in
        # thousands.
        label_E, level_E = np.nonzero(self.node_KL >= 0)
        ones_E = np.ones(len(label_E), dtype=np.float32)
        place = (self.node_KL[label_E, level_E], label_E)
        self._member_JK = csr_matrix((ones_E, place), shape=(len(number), len(parts_K)))
        self._above_JL = np.zeros((len(number), self.levels), dtype=np.int64)
        for level in range(self.levels):
            reached_K = self.node_KL[:, level] >= 0
            node_M = self.node_KL[reached_K, level]
            self._above_JL[node_M, : level + 1] = self.node_KL[reached_K, : level + 1]

    def node_probabilities(self, probability_NK: np.ndarray) -> np.ndarray:
        """Sum the probabilities of the classes at and below each node: [N, J].

        So a node's probability falls on the way down. The whole tree's is left at 0, as being in it
        is no answer.
        """
        return np.minimum((self._member_JK @ probability_NK.T).T, 1.0)

    def sum_along_paths(self, value_NJ: np.ndarray) -> np.ndarray:
        """Sum each node's value and those of all nodes above it but the whole tree's: [N, J]."""
        total_NJ = np.zeros_like(value_NJ)
        for above_J in self._above_JL.T:
            total_NJ += np.where(above_J > 0, value_NJ[:, above_J], 0.0)
        return total_NJ

    def best_by_level(self, node_NJ: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find the most probable node of every level.

        Returns:
            [N, L] int64 nodes and [N, L] probabilities, level 1 first. They need not be below each
            other.
        """
        best_NL = np.stack(
            [nodes[node_NJ[:, nodes].argmax(axis=1)] for nodes in self._level_nodes], axis=1
        )
        return best_NL, np.take_along_axis(node_NJ, best_NL, axis=1)

    def distance(self, node_N: np.ndarray, label_N: np.ndarray) -> np.ndarray:
        """Count the edges between each node and a class: [N] int64.

        Up to the lowest common ancestor and down again; 0 for the class itself.
        """
        common_N = (self._above_JL[node_N] == self.node_KL[label_N]).sum(axis=1)
        return self.depth_J[node_N] + self.depth_K[label_N] - 2 * common_N
