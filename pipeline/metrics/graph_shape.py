"""Does the space have the shape of the semantic graph?

Shape letters: N items, D embedding, K classes, C classes that occur.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pipeline.core.distance import pairwise


class GraphCorrelation(NamedTuple):
    """Rank correlation of distances in the space with distances in the graph."""

    rho: float | None
    """Spearman's rho in -1..1; None where it does not exist."""
    pairs: int
    """Pairs of classes it rests on."""


def graph_correlation(
    embedding_ND: Tensor, label_N: Tensor, adjacency_KK: np.ndarray
) -> GraphCorrelation:
    """Correlate the distances between class centroids with the graph's adjacency (Spearman).

    The centroid of a class is the mean of its items, scaled to unit norm. Only classes with an
    item take part, each pair once. There is no rho with fewer than three pairs, or where all
    distances on one side are equal.
    """
    occurring_C, row_N = torch.unique(label_N, return_inverse=True)
    sum_CD = torch.zeros(
        len(occurring_C), embedding_ND.shape[1], dtype=torch.float64, device=embedding_ND.device
    ).index_add_(0, row_N, embedding_ND.to(torch.float64))
    centroid_CD = torch.nn.functional.normalize(sum_CD, dim=1)
    upper = np.triu_indices(len(occurring_C), k=1)
    space = pairwise(centroid_CD, centroid_CD).cpu().numpy()[upper]
    occurring = occurring_C.cpu().numpy()
    graph = adjacency_KK[np.ix_(occurring, occurring)][upper]
    if len(space) < 3 or np.ptp(space) == 0 or np.ptp(graph) == 0:
        return GraphCorrelation(None, len(space))
    # As scipy.stats.spearmanr, which takes half a second to import.
    rank_of_space, rank_of_graph = (pd.Series(one).rank().to_numpy() for one in (space, graph))
    return GraphCorrelation(float(np.corrcoef(rank_of_space, rank_of_graph)[0, 1]), len(space))
