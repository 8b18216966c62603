import numpy as np
import pytest

from pipeline.metrics.classification import ancestors_at
from pipeline.metrics.level_nodes import LevelNodes

CLASSES = [["a", "x"], ["a", "y"], ["b"]]


def asked(classes, probability, label):
    nodes = LevelNodes(classes)
    node_NL = nodes.best(np.array([probability]))
    (full,), (one,) = nodes.full_path(node_NL, np.array([label])), nodes.one_path(node_NL)
    return node_NL[0].tolist(), bool(full), bool(one)


def test_levels_that_disagree_by_hand():
    # a has 0.35 + 0.25 = 0.6 of the top level, but no class below it as much as b, 0.4. At the
    # second level b stands for itself, the third of the nodes.
    for label in range(3):
        assert asked(CLASSES, [0.35, 0.25, 0.4], label) == ([0, 2], False, False)


def test_levels_that_agree_by_hand():
    assert asked(CLASSES, [0.5, 0.1, 0.4], 0) == ([0, 0], True, True)
    # One path, but right at the top level alone.
    assert asked(CLASSES, [0.5, 0.1, 0.4], 1) == ([0, 0], False, True)
    assert asked(CLASSES, [0.2, 0.2, 0.6], 2) == ([1, 2], True, True)


def test_a_class_above_another_counts_with_it_and_then_alone():
    classes = [["a"], ["a", "b"], ["c"]]
    # At the top a has 0.6; below it a, b and c stand alone.
    assert asked(classes, [0.3, 0.3, 0.4], 0) == ([0, 2], False, False)
    assert asked(classes, [0.45, 0.15, 0.4], 0) == ([0, 0], True, True)
    assert asked(classes, [0.1, 0.5, 0.4], 1) == ([0, 1], True, True)


def test_of_equals_the_first_is_taken():
    assert asked(CLASSES, [0.25, 0.25, 0.5], 2) == ([0, 2], False, False)
    assert asked(CLASSES, [0.5, 0.5, 0.0], 0) == ([0, 0], True, True)


def test_one_level_is_always_one_path():
    assert asked([["x"], ["y"]], [0.3, 0.7], 1) == ([1], True, True)


def test_no_items():
    nodes = LevelNodes(CLASSES)
    node_NL = nodes.best(np.zeros((0, 3)))
    assert node_NL.shape == (0, 2)
    assert nodes.one_path(node_NL).shape == (0,)


def test_agrees_with_plain_loops_on_classes_in_any_order():
    generator = np.random.default_rng(0)
    paths = {tuple(generator.choice(list("abc"), size=n)) for n in generator.integers(1, 5, 30)}
    classes = list(generator.permutation(np.array(sorted(paths), dtype=object)))
    probability_NK = generator.dirichlet(np.ones(len(classes)), size=60)
    label_N = generator.integers(len(classes), size=60)
    nodes = LevelNodes(classes)
    node_NL = nodes.best(probability_NK)
    depth = max(map(len, classes))
    assert node_NL.shape == (60, depth)
    full_N, one_N = nodes.full_path(node_NL, label_N), nodes.one_path(node_NL)
    assert one_N.any()
    assert not one_N.all()
    for n in range(60):
        path = []
        for level in range(1, depth + 1):
            total = {}
            for parts, probability in zip(classes, probability_NK[n], strict=True):
                node = tuple(parts[:level])
                total[node] = total.get(node, 0) + probability
            path.append(max(total, key=total.get))
            number_K = ancestors_at(classes, level)
            first = [tuple(parts[:level]) for parts in classes].index(path[-1])
            assert node_NL[n, level - 1] == number_K[first]
            assert total[path[-1]] == pytest.approx(
                probability_NK[n, number_K == node_NL[n, level - 1]].sum()
            )
        true = classes[label_N[n]]
        assert full_N[n] == all(path[level] == tuple(true[: level + 1]) for level in range(depth))
        assert one_N[n] == all(path[level] == path[-1][: level + 1] for level in range(depth))
