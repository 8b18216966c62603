import numpy as np
import pytest

from pipeline.audit.tree import Tree
from pipeline.features.classes import item_classes, make_classes

PATHS = ["a", "a<b", "a<b<c", "a<b<d", "a<e<f", "g<h<i", "g<h<j", "k"]


@pytest.fixture
def tree():
    return Tree(make_classes(PATHS, separator="<", label="path"))


def edges(one, other):
    """By walking up from both to the last node that they share."""
    one, other = one.split("<"), other.split("<")
    common = 0
    while one[: common + 1] == other[: common + 1] and common < min(len(one), len(other)):
        common += 1
    return len(one) + len(other) - 2 * common


def test_distance_counts_edges(tree):
    one, other = (axis.ravel() for axis in np.indices((len(PATHS), len(PATHS))))
    found = tree.distance(one, other)
    assert found.tolist() == [edges(PATHS[i], PATHS[j]) for i, j in zip(one, other, strict=True)]
    assert tree.distance(np.array([2, 2, 0]), np.array([3, 1, 7])).tolist() == [2, 1, 2]


def test_near_classes_are_below_the_nearest_ancestor_that_has_others(tree):
    near = {
        "a": {"a<b", "a<b<c", "a<b<d", "a<e<f"},
        "a<b": {"a<b<c", "a<b<d"},
        "a<b<c": {"a<b", "a<b<d"},
        "a<b<d": {"a<b", "a<b<c"},
        "a<e<f": {"a", "a<b", "a<b<c", "a<b<d"},
        "g<h<i": {"g<h<j"},
        "g<h<j": {"g<h<i"},
        "k": set(PATHS) - {"k"},
    }
    label_N = np.repeat(np.arange(len(PATHS)), 200)
    drawn_N = tree.draw_near(label_N, np.random.default_rng(0))
    for label, path in enumerate(PATHS):
        drawn = [PATHS[other] for other in drawn_N[label_N == label]]
        assert set(drawn) == near[path]
        # Each as often as any other, more or less.
        assert min(map(drawn.count, near[path])) > 200 / len(near[path]) / 2


def test_anywhere_is_any_other_class(tree):
    label_N = np.repeat(np.arange(len(PATHS)), 200)
    drawn_N = tree.draw_anywhere(label_N, np.random.default_rng(0))
    assert (drawn_N != label_N).all()
    for label in range(len(PATHS)):
        assert set(drawn_N[label_N == label]) == set(range(len(PATHS))) - {label}


@pytest.mark.parametrize("label", ["leaf", "parts"])
def test_every_kind_of_label_has_a_tree(label):
    classes = make_classes(["a<b", "a<c", "d<e"], separator="<", label=label)
    number = {entry["name"].split("<")[-1]: n for n, entry in enumerate(item_classes(classes))}
    one, other = np.array([number["b"], number["b"]]), np.array([number["c"], number["e"]])
    assert Tree(classes).distance(one, other).tolist() == [2, 4]


def test_a_catalogue_without_a_hierarchy_has_all_classes_near():
    tree = Tree(make_classes(["a", "b", "c"], separator="<", label="path"))
    drawn_N = tree.draw_near(np.zeros(50, dtype=np.int64), np.random.default_rng(0))
    assert set(drawn_N) == {1, 2}
