"""Distances and neighbours in the class tree, in memory that grows with the classes alone.

Shape letters: N items, K classes, L levels.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.features.class_tree import ClassTree
from pipeline.features.classes import class_levels


class Tree:
    """The class tree: paths below one root."""

    def __init__(self, classes: Mapping[str, Any]) -> None:
        """Number the prefixes of all paths.

        Args:
            classes: Content of classes.json; under `parts` its class paths are the K classes.
        """
        self._level_KL = class_levels(classes)
        self._nodes = ClassTree(classes)

    def __len__(self) -> int:
        return len(self._level_KL)

    def distance(self, one_N: np.ndarray, other_N: np.ndarray) -> np.ndarray:
        """Count the edges between classes: up to the lowest common ancestor and down again.

        Args:
            one_N: [N] integer classes.
            other_N: [N] integer classes.

        Returns:
            [N] int64; 0 for the same class, 2 for siblings.
        """
        return self._nodes.distance(self._nodes.class_node_K[one_N], other_N)

    def draw_near(self, label_N: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Draw another class for each item, near its own.

        It is one of those below the nearest ancestor that has any others, each equally likely:
        of siblings where there are some.

        Returns:
            [N] int64.
        """
        drawn_N = self.draw_anywhere(label_N, generator)
        left_N = np.ones(len(label_N), dtype=bool)
        for level_K in self._level_KL.T[-2::-1]:  # from the parents up
            order_K = np.argsort(level_K, kind="stable")
            first_K = np.searchsorted(level_K[order_K], level_K)
            size_K = np.searchsorted(level_K[order_K], level_K, side="right") - first_K
            now = np.flatnonzero(left_N & (size_K[label_N] > 1))
            label = label_N[now]
            # One of the others: those after the own place move up by one.
            place_K = np.empty(len(order_K), dtype=np.int64)
            place_K[order_K] = np.arange(len(order_K))
            step = generator.integers(0, size_K[label] - 1)
            step += step >= place_K[label] - first_K[label]
            drawn_N[now] = order_K[first_K[label] + step]
            left_N[now] = False
        return drawn_N

    def draw_anywhere(self, label_N: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Draw another class for each item, [N] int64, any equally likely."""
        drawn_N = generator.integers(0, len(self) - 1, size=len(label_N))
        return drawn_N + (drawn_N >= label_N)
