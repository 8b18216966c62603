import numpy as np
import pytest

from pipeline.features.class_tree import ClassTree
from pipeline.features.classes import make_classes

PATHS = ["clothing<dress", "clothing<knitwear<fine", "clothing<knitwear<thick", "shoes"]
NODES = ["", "clothing", PATHS[0], "clothing<knitwear", *PATHS[1:]]


def make_tree(paths=PATHS, label="path"):
    return ClassTree(make_classes(paths, separator="<", label=label))


def node_of(tree, path):
    return tree.path_J.index(path)


def test_the_nodes_are_the_beginnings_of_all_paths():
    tree = make_tree()
    assert tree.path_J == NODES
    assert tree.depth_J.tolist() == [0, 1, 2, 2, 3, 3, 1]
    assert tree.levels == 3
    assert [tree.path_J[node] for node in tree.class_node_K] == PATHS
    assert tree.node_KL.tolist() == [[1, 2, -1], [1, 3, 4], [1, 3, 5], [6, -1, -1]]


def test_a_node_is_as_probable_as_the_classes_at_and_below_it():
    tree = make_tree()
    node_NJ = tree.node_probabilities(np.array([[0.1, 0.35, 0.3, 0.25]], dtype=np.float32))
    # knitwear is 0.35 + 0.3, clothing 0.75; the whole tree is no answer.
    np.testing.assert_allclose(node_NJ, [[0, 0.75, 0.1, 0.65, 0.35, 0.3, 0.25]], rtol=1e-6)
    best_NL, probability_NL = tree.best_by_level(node_NJ)
    best = [tree.path_J[node] for node in best_NL[0]]
    assert best == ["clothing", "clothing<knitwear", "clothing<knitwear<fine"]
    np.testing.assert_allclose(probability_NL, [[0.75, 0.65, 0.35]], rtol=1e-6)


def test_a_class_may_have_others_below_it():
    tree = make_tree(["shoes", "shoes<boots", "bags"])
    node_NJ = tree.node_probabilities(np.array([[0.25, 0.5, 0.25]], dtype=np.float32))
    # Sorted by name: bags, shoes, shoes<boots.
    assert node_NJ[0, node_of(tree, "shoes")] == 0.75
    assert node_NJ[0, node_of(tree, "shoes<boots")] == 0.25


def test_sums_run_along_the_paths():
    tree = make_tree()
    value_NJ = np.array([[7.0, 1, 10, 100, 1000, 2000, 5]])  # the whole tree's counts nowhere
    assert tree.sum_along_paths(value_NJ).tolist() == [[0, 1, 11, 101, 1101, 2101, 5]]


def test_distance_is_the_way_up_and_down_again():
    tree = make_tree()
    # To a dress, fine knitwear, thick knitwear, shoes.
    wanted = {"": [2, 3, 3, 1], "clothing": [1, 2, 2, 2], "clothing<knitwear": [2, 1, 1, 3]}
    wanted |= {PATHS[0]: [0, 3, 3, 3], PATHS[1]: [3, 0, 2, 4], "shoes": [3, 4, 4, 0]}
    for path, edges in wanted.items():
        node_N = np.full(4, node_of(tree, path))
        assert tree.distance(node_N, np.arange(4)).tolist() == edges


def test_where_every_part_is_a_label_the_classes_are_the_paths():
    tree = make_tree(label="parts")
    assert [tree.path_J[node] for node in tree.class_node_K] == PATHS


def test_random_trees_agree_with_plain_loops():
    generator = np.random.default_rng(0)
    paths = sorted({"<".join(generator.choice(list("abc"), size=n)) for n in (1, 2, 3, 4) * 9})
    tree = make_tree(paths)
    probability_NK = generator.dirichlet(np.ones(len(paths)), size=20).astype(np.float32)
    node_NJ = tree.node_probabilities(probability_NK)
    for node, path in enumerate(tree.path_J[1:], 1):
        below = [one == path or one.startswith(path + "<") for one in paths]
        np.testing.assert_allclose(
            node_NJ[:, node], probability_NK[:, below].sum(axis=1), rtol=1e-5
        )
    best_NL, _ = tree.best_by_level(node_NJ)
    for level in range(tree.levels):
        nodes = [node for node, depth in enumerate(tree.depth_J) if depth == level + 1]
        assert node_NJ[:, nodes].max(axis=1) == pytest.approx(
            node_NJ[np.arange(20), best_NL[:, level]]
        )
