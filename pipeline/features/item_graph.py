"""The semantic graph between items' classes where an item has several labels.

Shape letters: K classes of items, L labels, E class-name embedding.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.features.graph_file import SemanticGraph


def item_graph(
    graph: SemanticGraph, membership_KL: np.ndarray | None, names: Sequence[str]
) -> SemanticGraph:
    """Turn the graph between labels into one between the classes that items have.

        A[i, j] = mean of A_labels[p, q] over the labels p of i and q of j,  i != j
        A[i, i] = 0

    An item's row of the graph is the mean of its labels' rows (notebook A), and so is its column.
    The mean of a class with itself would be its labels' distance from each other; it is set to 0,
    because items of one class belong together however far apart the parts of their path are.

    Args:
        graph: Between the L labels.
        membership_KL: [K, L] 1 where class k has label l, at least one per row. None where the
            classes are the labels: the graph then stays as it is.
        names: K class names.
    """
    if membership_KL is None:
        return graph
    weight_KL = membership_KL / membership_KL.sum(axis=1, keepdims=True)
    distance_KK = weight_KL @ graph.adjacency_KK @ weight_KL.T
    # A matrix product need not round (i, j) as it rounds (j, i).
    distance_KK = ((distance_KK + distance_KK.T) / 2).astype(np.float32)
    np.fill_diagonal(distance_KK, 0.0)
    norm_L1 = np.linalg.norm(graph.class_embedding_KE, axis=1, keepdims=True)
    embedding_KE = (weight_KL @ (graph.class_embedding_KE / norm_L1)).astype(np.float32)
    return SemanticGraph(list(names), distance_KK, embedding_KE)
