import numpy as np
import pytest

from pipeline.features.graph_file import SemanticGraph
from pipeline.features.item_graph import item_graph
from pipeline.semantic_graph.adjacency import class_adjacency

PARTS = ["boots", "clothing", "shoes"]
ADJACENCY = np.array([[0.0, 0.6, 0.2], [0.6, 0.0, 0.8], [0.2, 0.8, 0.0]], dtype=np.float32)
EMBEDDING = np.array([[3.0, 0.0], [0.0, 5.0], [2.0, 0.0]], dtype=np.float32)
GRAPH = SemanticGraph(PARTS, ADJACENCY, EMBEDDING)
# clothing; shoes<boots; clothing<shoes
MEMBERSHIP = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 1]], dtype=np.float32)
NAMES = ["clothing", "shoes<boots", "clothing<shoes"]


def test_distances_worked_by_hand():
    found = item_graph(GRAPH, MEMBERSHIP, NAMES)
    # clothing to shoes<boots: (0.8 + 0.6) / 2; clothing to clothing<shoes: (0 + 0.8) / 2;
    # shoes<boots to clothing<shoes: (0.8 + 0 + 0.6 + 0.2) / 4. A class with itself: 0.
    expected = [[0, 0.7, 0.4], [0.7, 0, 0.4], [0.4, 0.4, 0]]
    assert found.adjacency_KK.tolist() == [pytest.approx(row, abs=1e-6) for row in expected]
    assert found.adjacency_KK.dtype == np.float32
    assert found.names == NAMES
    # Means of unit vectors: boots and shoes point the same way.
    assert found.class_embedding_KE.tolist() == [[0, 1], [1, 0], [0.5, 0.5]]


def test_the_mean_keeps_the_invariants():
    generator = np.random.default_rng(0)
    embedding = generator.normal(size=(23, 7)).astype(np.float32)
    membership = (generator.random((41, 23)) < 0.2).astype(np.float32)
    membership[:, 0] = 1
    graph = SemanticGraph([""] * 23, class_adjacency(embedding), embedding)
    adjacency_KK = item_graph(graph, membership, [""] * 41).adjacency_KK
    assert np.array_equal(adjacency_KK, adjacency_KK.T)
    assert not adjacency_KK.diagonal().any()
    assert 0 <= adjacency_KK.min() <= adjacency_KK.max() <= 2


def test_without_labels_the_graph_stays_as_it_is():
    assert item_graph(GRAPH, None, PARTS) is GRAPH
