import numpy as np
import pytest

from pipeline.semantic_graph.adjacency import class_adjacency
from pipeline.semantic_graph.blend import blend


@pytest.mark.parametrize("weight", [0.0, 0.25, 1.0])
def test_distances_are_the_weighted_mean(weight):
    generator = np.random.default_rng(0)
    first_KE, second_KF = generator.normal(size=(7, 5)), 40 * generator.normal(size=(7, 3))
    expected_KK = weight * class_adjacency(first_KE) + (1 - weight) * class_adjacency(second_KF)
    blended_KE = blend(first_KE, second_KF, weight)
    assert np.allclose(class_adjacency(blended_KE), expected_KK, rtol=0, atol=1e-6)
    assert np.allclose(np.linalg.norm(blended_KE, axis=1), 1)
