"""Graph encoder `path`: distances in the class tree, without any language model.

Shape letters: K classes, E nodes of the tree.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.semantic_graph.class_texts import ClassEmbeddings, Of

Node = tuple[str, ...]
OWN_LEAF = ""
"""Last part of the node that a class with other classes below it has for itself; no part of a
path is empty."""


def embed(
    class_parts: Sequence[Sequence[str]], of: Of, settings: None, cache: Path
) -> ClassEmbeddings:
    """Place every class so that cosine distances are distances in the tree.

        d(i, j) = height of the lowest common ancestor of i and j / height of the tree

    as in hierarchy-based embeddings (Barz and Denzler 2019); the height of a node is the longest
    way down to a class, and the tree hangs from the lowest common ancestor of all classes. The
    same heights grade `graded_hierarchy` in the evaluation.

    They are matched exactly. Node n of the tree is an axis, and the coordinate of every class at
    or below n is sqrt((height(parent of n) - height(n)) / height of the tree), 0 for others: the
    product of two classes sums to 1 - d(i, j), and each class has unit norm. A class with other
    classes below it counts as a leaf of its own there, or it would be at a distance to itself.

    Returns:
        [K, E] float32 of unit norm, E < 2 K where no node has a single child.
    """
    shared = _shared_parts(class_parts)
    paths = [tuple(parts) for parts in class_parts]
    height: dict[Node, int] = {}
    for path in paths:
        for depth in range(shared, len(path) + 1):
            node = path[:depth]
            height[node] = max(height.get(node, 0), len(path) - depth)
    leaves = [path if height[path] == 0 else (*path, OWN_LEAF) for path in paths]
    height.update(dict.fromkeys(leaves, 0))
    root = paths[0][:shared]
    column_of = {node: column for column, node in enumerate(sorted(height.keys() - {root}))}
    embedding_KE = np.zeros((len(paths), len(column_of)), dtype=np.float32)
    for row, leaf in enumerate(leaves):
        for depth in range(shared + 1, len(leaf) + 1):
            node = leaf[:depth]
            share = (height[node[:-1]] - height[node]) / height[root]
            embedding_KE[row, column_of[node]] = share**0.5
    return ClassEmbeddings(embedding_KE, [], {})


def _shared_parts(class_parts: Sequence[Sequence[str]]) -> int:
    """How many leading parts all paths share."""
    paths = sorted(map(tuple, class_parts))
    first, last = paths[0], paths[-1]
    return next(
        (depth for depth, (a, b) in enumerate(zip(first, last, strict=False)) if a != b),
        min(len(first), len(last)),
    )
