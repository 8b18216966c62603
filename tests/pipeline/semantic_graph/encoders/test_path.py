from pathlib import Path

import numpy as np
import pytest

from pipeline.metrics.graded_hierarchy import class_heights
from pipeline.semantic_graph.adjacency import class_adjacency
from pipeline.semantic_graph.encoders.path import embed


def distances(*paths):
    return class_adjacency(
        embed([path.split("<") for path in paths], "leaf", None, Path()).embedding_KE
    )


def test_distances_worked_by_hand():
    # The tree is 3 high: root, shoes, shoes<boots, shoes<boots<ankle.
    # ankle and knee meet in boots, 1 high; ankle and heels in shoes, 2 high; ankle and hats in the
    # root, 3 high; hats and bags meet there too, though both are only one step below it.
    paths = ["shoes<boots<ankle", "shoes<boots<knee", "shoes<heels", "hats", "bags"]
    assert distances(*paths).tolist() == [
        pytest.approx(row, abs=1e-6)
        for row in (
            [0, 1 / 3, 2 / 3, 1, 1],
            [1 / 3, 0, 2 / 3, 1, 1],
            [2 / 3, 2 / 3, 0, 1, 1],
            [1, 1, 1, 0, 1],
            [1, 1, 1, 1, 0],
        )
    ]


def test_a_class_above_others_is_at_no_distance_to_itself():
    # a is 2 high, a<b is 1 high; the root is 3 high.
    assert distances("a", "a<b", "a<b<c", "d").tolist() == [
        pytest.approx(row, abs=1e-6)
        for row in (
            [0, 2 / 3, 2 / 3, 1],
            [2 / 3, 0, 1 / 3, 1],
            [2 / 3, 1 / 3, 0, 1],
            [1, 1, 1, 0],
        )
    ]


@pytest.mark.parametrize("paths", [("shop<a", "shop<b"), ("shop", "shop<a"), ("a", "b")])
def test_the_tree_hangs_from_the_lowest_common_ancestor_of_all(paths):
    assert distances(*paths).tolist() == [[0, 1], [1, 0]]


def test_a_random_tree_agrees_with_the_heights_of_the_evaluation():
    generator = np.random.default_rng(0)
    paths = sorted(
        {tuple(generator.choice(list("abc"), generator.integers(1, 6))) for _ in "x" * 90}
    )
    heights = class_heights(paths)
    expected_KK = heights.pair_KK.numpy() / heights.tree
    found = embed(paths, "path", None, Path())
    assert np.allclose(class_adjacency(found.embedding_KE), expected_KK, rtol=0, atol=1e-6)
    assert np.allclose(np.linalg.norm(found.embedding_KE, axis=1), 1, atol=1e-6)
    assert found.unknown_words == []
