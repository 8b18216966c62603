import numpy as np
import torch

from pipeline.features.graph_file import SemanticGraph
from pipeline.train.graph_tensors import graph_tensors


def test_distances_stay_and_class_embeddings_get_unit_norm():
    adjacency_KK = np.array([[0.0, 0.25], [0.25, 0.0]], dtype=np.float32)
    graph = SemanticGraph(["a", "b"], adjacency_KK, np.array([[3, 4], [0, 2]], dtype=np.float32))
    distance_KK, unit_KE = graph_tensors(graph, torch.device("cpu"))
    assert torch.equal(distance_KK, torch.from_numpy(adjacency_KK))
    # (3, 4) has length 5.
    assert torch.allclose(unit_KE, torch.tensor([[0.6, 0.8], [0.0, 1.0]]))
    assert graph.class_embedding_KE.tolist() == [[3, 4], [0, 2]]
