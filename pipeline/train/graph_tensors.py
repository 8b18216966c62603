"""The semantic graph where the towers are trained.

Shape letters: K classes, E class-name embedding.
"""

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.features.graph_file import SemanticGraph


def graph_tensors(graph: SemanticGraph, device: torch.device) -> tuple[Tensor, Tensor]:
    """Put the graph where the towers are trained.

    Args:
        graph: The graph.
        device: Where to.

    Returns:
        [K, K] float32 distances, and [K, E] float32 class-name embeddings with rows of unit norm.
    """
    class_embedding_KE = torch.from_numpy(graph.class_embedding_KE)
    return (
        torch.from_numpy(graph.adjacency_KK).to(device),
        functional.normalize(class_embedding_KE, dim=1).to(device),
    )
