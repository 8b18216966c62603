import pytest
import torch

from pipeline.metrics.hierarchy import (
    common_levels,
    correct_classes,
    hierarchical_precision,
    radius_to_enter,
)

# Unequal depths, and one class (1) that stands above another (2):
#   root - a - b(0)
#            - c(1) - d(2)
#        - e(3)
#        - f - g - h(4)
#                - i(5)
CLASSES = [["a", "b"], ["a", "c"], ["a", "c", "d"], ["e"], ["f", "g", "h"], ["f", "g", "i"]]
# radius = length of the row's path - shared leading parts
RADIUS = [
    [0, 1, 1, 2, 2, 2],
    [1, 0, 0, 2, 2, 2],
    [2, 1, 0, 3, 3, 3],
    [1, 1, 1, 0, 1, 1],
    [3, 3, 3, 3, 0, 1],
    [3, 3, 3, 3, 1, 0],
]


def test_shared_levels_by_hand():
    assert common_levels(CLASSES).tolist() == [
        [2, 1, 1, 0, 0, 0],
        [1, 2, 2, 0, 0, 0],
        [1, 2, 3, 0, 0, 0],
        [0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 3, 2],
        [0, 0, 0, 0, 2, 3],
    ]


def test_equal_names_under_different_parents_share_nothing():
    assert common_levels([["a", "x"], ["b", "x"]]).tolist() == [[2, 0], [0, 2]]


def test_radius_by_hand():
    assert radius_to_enter(CLASSES).tolist() == RADIUS


@pytest.mark.parametrize(
    ("k", "query", "expected"),
    [
        # Class 0: radius 0 holds {0}, radius 1 (below a) {0, 1, 2}, radius 2 all.
        (1, 0, {0}),
        (2, 0, {0, 1, 2}),
        (3, 0, {0, 1, 2}),
        (4, 0, {0, 1, 2, 3, 4, 5}),
        # Class 1: radius 0 already holds the class below it, also for K = 1.
        (1, 1, {1, 2}),
        (2, 1, {1, 2}),
        (3, 1, {0, 1, 2}),
        # Class 2: {2}, below a<c {1, 2}, below a {0, 1, 2}, all.
        (2, 2, {1, 2}),
        (3, 2, {0, 1, 2}),
        # Class 3 stands directly under the root.
        (1, 3, {3}),
        (2, 3, {0, 1, 2, 3, 4, 5}),
        # Class 4: {4}, below f<g {4, 5}, below f {4, 5}, all.
        (2, 4, {4, 5}),
        (3, 4, {0, 1, 2, 3, 4, 5}),
        # More than there are classes.
        (7, 0, {0, 1, 2, 3, 4, 5}),
    ],
)
def test_correct_sets_by_hand(k, query, expected):
    correct = correct_classes(radius_to_enter(CLASSES), k)
    assert set(correct[query].nonzero()[:, 0].tolist()) == expected


def test_precision_by_hand():
    # The gallery holds one item of each class; query of class 2, results 1 3 2 0.
    # K = 1: set {2}: 0/1. K = 2: set {1, 2}: 1/2. K = 3: {0, 1, 2}: 2/3. K = 4: all: 4/4.
    # Query of class 3, results 3 0 1 2: 1/1, then the set is all classes.
    found = hierarchical_precision(
        torch.tensor([[1, 3, 2, 0], [3, 0, 1, 2]]),
        torch.tensor([2, 3]),
        torch.arange(6),
        radius_to_enter(CLASSES),
        [1, 2, 3, 4],
    )
    assert found[0].tolist() == pytest.approx([0, 1 / 2, 2 / 3, 1])
    assert found[1].tolist() == [1, 1, 1, 1]


def test_short_lists_are_judged_by_what_they_hold():
    # Query of class 2 with two results, 2 and 3. K = 2: set {1, 2}: 1/2. K = 3: still 1/2.
    found = hierarchical_precision(
        torch.tensor([[2, 3, -1], [-1, -1, -1]]),
        torch.tensor([2, 2]),
        torch.arange(6),
        radius_to_enter(CLASSES),
        [2, 3],
    )
    assert found.tolist() == [[0.5, 0.5], [0, 0]]


def test_agrees_with_growing_the_radius_step_by_step():
    generator = torch.Generator().manual_seed(0)
    classes = sorted(
        {
            tuple("abc"[int(c)] for c in torch.randint(0, 3, (n,), generator=generator))
            for n in torch.randint(1, 5, (40,), generator=generator).tolist()
        }
    )
    K = len(classes)
    index = torch.randint(0, 50, (30, 12), generator=generator)
    query_label = torch.randint(0, K, (30,), generator=generator)
    gallery_label = torch.randint(0, K, (50,), generator=generator)
    cutoffs = [1, 2, 3, 7, 12]
    found = hierarchical_precision(
        index, query_label, gallery_label, radius_to_enter(classes), cutoffs
    )
    for m in range(30):
        path = classes[int(query_label[m])]
        for column, k in enumerate(cutoffs):
            correct: set[int] = set()
            for radius in range(len(path) + 1):
                ancestor = path[: len(path) - radius]
                correct = {c for c in range(K) if classes[c][: len(ancestor)] == ancestor}
                if len(correct) >= k:
                    break
            hits = sum(int(gallery_label[n]) in correct for n in index[m, :k].tolist())
            assert found[m, column].item() == pytest.approx(hits / k)


def test_flat_classes_turn_precision_at_1_into_a_class_hit():
    radius = radius_to_enter([["x"], ["y"], ["z"]])
    found = hierarchical_precision(
        torch.tensor([[0], [1], [2]]), torch.tensor([0, 0, 2]), torch.arange(3), radius, [1]
    )
    assert found[:, 0].tolist() == [1, 0, 1]


def test_empty_gallery():
    empty = torch.empty(0, dtype=torch.int64)
    found = hierarchical_precision(
        torch.full((2, 3), -1), torch.tensor([0, 1]), empty, radius_to_enter(CLASSES), [1, 3]
    )
    assert found.tolist() == [[0, 0], [0, 0]]


def test_misuse_is_named():
    with pytest.raises(ValueError, match="class 1 has an empty path"):
        common_levels([["a"], []])
    with pytest.raises(ValueError, match="same path"):
        common_levels([["a"], ["a"]])
    radius = radius_to_enter(CLASSES)
    with pytest.raises(ValueError, match="k must be at least 1"):
        correct_classes(radius, 0)
    label = torch.arange(6)
    with pytest.raises(ValueError, match=r"cut-offs must lie in 1\.\.2"):
        hierarchical_precision(torch.zeros(6, 2, dtype=torch.int64), label, label, radius, [3])
