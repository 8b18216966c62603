"""What is predicted at each level of the class tree for itself, and whether it is one path.

Shape letters: N items, K classes, L levels, J nodes of a level.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.metrics.classification import ancestors_at


class LevelNodes:
    """The nodes of a class tree, level by level; a class with a shorter path stands for itself."""

    def __init__(self, class_parts: Sequence[Sequence[str]]) -> None:
        """Number the nodes of each level; memory grows with K x L."""
        depth = max(map(len, class_parts))
        self._node_LK = np.stack(
            [ancestors_at(class_parts, level) for level in range(1, depth + 1)]
        )

    def best(self, probability_NK: np.ndarray) -> np.ndarray:
        """Find the most probable node of each level, by the sum over the classes at and below it.

        At the last level that is the most probable class. Levels are asked one by one, so the
        nodes of an item need not be on one path. Of equally probable nodes the first is taken.

        Returns:
            [N, L] int64 numbers as of `ancestors_at`, the top level first.
        """
        best_NL = np.empty((len(probability_NK), len(self._node_LK)), dtype=np.int64)
        for level, node_K in enumerate(self._node_LK):
            order_K = np.argsort(node_K, kind="stable")
            start_J = np.searchsorted(node_K[order_K], np.arange(node_K.max() + 1))
            node_NJ = np.add.reduceat(probability_NK[:, order_K], start_J, axis=1)
            best_NL[:, level] = node_NJ.argmax(axis=1)
        return best_NL

    def full_path(self, node_NL: np.ndarray, label_N: np.ndarray) -> np.ndarray:
        """Whether every level's node is the true one; the mean is the full-path accuracy.

        FPA of H-CAST (Park et al. 2025). It is at most the accuracy of the classes.

        Returns:
            [N] bool.
        """
        return (node_NL == self._node_LK[:, label_N].T).all(axis=1)

    def one_path(self, node_NL: np.ndarray) -> np.ndarray:
        """Whether the nodes of all levels lie on one path; the share that do not is TICE.

        TICE, the tree-based inconsistency error rate, is a figure of H-CAST too. It does not ask
        whether the path is right.

        Returns:
            [N] bool.
        """
        fits_N = np.ones(len(node_NL), dtype=bool)
        for level in range(1, len(self._node_LK)):
            # All classes of a node have one node above it, so the first tells.
            first_J = np.unique(self._node_LK[level], return_index=True)[1]
            above_J = self._node_LK[level - 1][first_J]
            fits_N &= above_J[node_NL[:, level]] == node_NL[:, level - 1]
        return fits_N
