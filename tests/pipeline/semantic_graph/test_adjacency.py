import math

import numpy as np
import pytest

from pipeline.semantic_graph.adjacency import class_adjacency, same_name_classes


@pytest.fixture
def class_embedding():
    return np.random.default_rng(0).normal(size=(41, 50))


def test_a_distance_is_one_minus_the_cosine(class_embedding):
    adjacency_KK = class_adjacency(class_embedding)
    for i in range(0, 41, 7):
        for j in range(41):
            dot = sum(a * b for a, b in zip(class_embedding[i], class_embedding[j], strict=True))
            norms = math.sqrt(
                sum(a * a for a in class_embedding[i]) * sum(b * b for b in class_embedding[j])
            )
            assert adjacency_KK[i, j] == pytest.approx(1 - dot / norms, abs=1e-6)


def test_angles_worked_by_hand():
    # Right angle: 1; opposite: 2; 60 degrees: 0.5; the lengths of the vectors do not matter.
    adjacency_KK = class_adjacency(np.array([[2.0, 0.0], [0.0, 5.0], [-3.0, 0.0], [1.0, 3**0.5]]))
    assert adjacency_KK[0].tolist() == pytest.approx([0.0, 1.0, 2.0, 0.5], abs=1e-7)


def test_invariants_hold_exactly(class_embedding):
    # Near-duplicates, opposites and tiny vectors are where rounding goes below 0 or above 2.
    hard_KE = np.concatenate(
        [class_embedding, class_embedding * 1e-12, class_embedding * (1 + 1e-15), -class_embedding]
    )
    adjacency_KK = class_adjacency(hard_KE.astype(np.float32))
    assert adjacency_KK.dtype == np.float32
    assert np.array_equal(adjacency_KK, adjacency_KK.T)
    assert not adjacency_KK.diagonal().any()
    assert adjacency_KK.min() == 0.0
    assert adjacency_KK.max() <= 2.0


def test_the_order_of_the_classes_does_not_matter(class_embedding):
    order = np.random.default_rng(1).permutation(41)
    shuffled_KK = class_adjacency(class_embedding[order])
    expected_KK = class_adjacency(class_embedding)[np.ix_(order, order)]
    assert np.allclose(shuffled_KK, expected_KK, rtol=0, atol=1e-7)


@pytest.mark.parametrize("value", [0.0, math.nan, math.inf])
def test_a_class_without_a_direction_is_misuse(class_embedding, value):
    class_embedding[3] = value
    with pytest.raises(ValueError, match="zero or not finite"):
        class_adjacency(class_embedding)


def test_classes_with_one_embedding_are_told():
    embedding_KE = np.array([[1.0, 2.0], [0.0, 1.0], [2.0, 4.0], [1.0, 2.001], [0.0, 3.0]])
    assert same_name_classes(class_adjacency(embedding_KE)) == [(0, 2), (0, 3), (1, 4), (2, 3)]
    assert same_name_classes(class_adjacency(embedding_KE), tolerance=1e-9) == [(0, 2), (1, 4)]
    assert same_name_classes(class_adjacency(np.eye(3))) == []
