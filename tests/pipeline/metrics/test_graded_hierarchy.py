from itertools import pairwise

import pytest
import torch

from pipeline.metrics import graded_hierarchy as module
from pipeline.metrics.graded_hierarchy import class_heights, graded_precision
from pipeline.metrics.retrieval import nearest

# Unequal depths, and one class (1) that stands above another (2). Heights in brackets:
#   root [3] - a [2] - b(0) [0]
#                    - c(1) [1] - d(2) [0]
#            - e(3) [0]
#            - f [2] - g [1] - h(4) [0]
#                            - i(5) [0]
CLASSES = [["a", "b"], ["a", "c"], ["a", "c", "d"], ["e"], ["f", "g", "h"], ["f", "g", "i"]]
HEIGHT = [
    [0, 2, 2, 3, 3, 3],
    [2, 0, 1, 3, 3, 3],
    [2, 1, 0, 3, 3, 3],
    [3, 3, 3, 0, 3, 3],
    [3, 3, 3, 3, 0, 1],
    [3, 3, 3, 3, 1, 0],
]


def precision(results, query, gallery, k, area_to, classes=CLASSES, **groups):
    return graded_precision(
        torch.tensor(results),
        torch.tensor(query),
        torch.tensor(gallery),
        class_heights(classes),
        k,
        area_to=area_to,
        **groups,
    )


def test_heights_by_hand():
    heights = class_heights(CLASSES)
    assert heights.pair_KK.tolist() == HEIGHT
    assert heights.tree == 3


def test_tree_hangs_from_the_part_that_all_classes_share():
    shared = class_heights([["shop", *parts] for parts in CLASSES])
    assert shared.pair_KK.tolist() == HEIGHT
    assert shared.tree == 3


def test_flat_and_single_classes():
    flat = class_heights([["x"], ["y"]])
    assert (flat.pair_KK.tolist(), flat.tree) == ([[0, 1], [1, 0]], 1)
    assert class_heights([["x", "y"]]).tree == 0
    only = precision([[0, 1]], [0], [0, 0], [1, 2], 2, classes=[["x", "y"]])
    assert (only.at_MC.tolist(), only.area_M.tolist()) == ([[1, 1]], [1])


def test_precision_by_hand():
    # One item of each class. Similarities to class 2, in thirds of 1 - height/3:
    # class 0: 1, class 1: 2, class 2: 3, classes 3 4 5: 0.
    # Results 1 3 2 0 gain 2 2 5 6; the best order 2 1 0 and then zeros gains 3 5 6 6.
    # HP@1 = 2/3, HP@2 = 2/5, HP@3 = 5/6, HP@4 = 6/6.
    # AHP@4 = ((2/3 + 2/5)/2 + (2/5 + 5/6)/2 + (5/6 + 1)/2) / 3
    #       = (16/30 + 37/60 + 55/60) / 3 = (124/60) / 3 = 31/45.
    found = precision([[1, 3, 2, 0]], [2], range(6), [1, 2, 3, 4], 4)
    assert found.at_MC[0].tolist() == pytest.approx([2 / 3, 2 / 5, 5 / 6, 1])
    assert found.area_M.item() == pytest.approx(31 / 45)


def test_perfect_order_scores_exactly_one():
    found = precision([[2, 1, 0, 5, 4, 3]], [2], range(6), [1, 3, 6], 6)
    assert found.at_MC.tolist() == [[1, 1, 1]]
    assert found.area_M.tolist() == [1]


def test_best_order_leaves_out_the_own_group():
    # Items 0 and 1 are of class 4, item 2 of class 5, item 3 of class 0; queries 0 and 1 are items.
    # Query 0 alone in its group: candidates 1 (3 thirds), 2 (2), 3 (0). Results 2 1 3 gain 2 5 5,
    # the best gains 3 5 5. With items 0 and 1 in one group, results 3 2 gain 0 2, the best 2 2.
    gallery = [4, 4, 5, 0]
    alone, variants = torch.arange(4), torch.tensor([0, 0, 1, 2])
    found = precision(
        [[2, 1, 3]], [4], gallery, [1, 2, 3], 1, query_group_M=alone[:1], gallery_group_N=alone
    )
    assert found.at_MC[0].tolist() == pytest.approx([2 / 3, 1, 1])
    found = precision(
        [[3, 2, -1]],
        [4],
        gallery,
        [1, 2, 3],
        3,
        query_group_M=variants[:1],
        gallery_group_N=variants,
    )
    # HP@3 has two candidates only, so it is HP@2; the area ends there: (0 + 1)/2.
    assert found.at_MC[0].tolist() == [0, 1, 1]
    assert found.area_M.tolist() == [0.5]


def test_nothing_to_find_scores_zero():
    # Class 3 has no relative at all; the second query has no candidate.
    found = precision([[0, 4], [-1, -1]], [3, 0], [0, 1, 2, 2, 4], [1, 2], 2)
    assert found.at_MC.tolist() == [[0, 0], [0, 0]]
    assert found.area_M.tolist() == [0, 0]
    empty = precision([[-1, -1]], [3], [], [1, 2], 2)
    assert (empty.at_MC.tolist(), empty.area_M.tolist()) == ([[0, 0]], [0])


def naive_height(first, second, classes):
    if first == second:
        return 0
    common = 0
    while first[:common] == second[:common] and common <= min(len(first), len(second)):
        common += 1
    ancestor = first[: common - 1]
    return max(len(c) for c in classes if c[: len(ancestor)] == ancestor) - len(ancestor)


@pytest.mark.parametrize("rows", [7, 4096])
def test_agrees_with_plain_loops(monkeypatch, rows):
    monkeypatch.setattr(module, "ROWS_PER_BLOCK", rows)
    generator = torch.Generator().manual_seed(0)
    classes = sorted(
        {
            tuple("abc"[int(c)] for c in torch.randint(0, 3, (n,), generator=generator))
            for n in torch.randint(1, 5, (25,), generator=generator).tolist()
        }
    )
    tree = max(len(c) for c in classes)
    point = torch.randint(-2, 3, (60, 3), generator=generator).float()
    label = torch.randint(0, len(classes), (60,), generator=generator)
    group = torch.randint(0, 20, (60,), generator=generator)
    groups = {"query_group_M": group, "gallery_group_N": group}
    index = nearest(point, point, 20, **groups).indices
    found = graded_precision(
        index, label, label, class_heights(classes), [1, 5, 20], area_to=20, **groups
    )
    for m in range(60):
        similar = [
            1 - naive_height(classes[int(label[m])], classes[int(label[n])], classes) / tree
            for n in range(60)
        ]
        best = sorted((similar[n] for n in range(60) if group[n] != group[m]), reverse=True)
        curve = [
            sum(similar[n] for n in index[m, :k].tolist()) / (sum(best[:k]) or 1)
            for k in range(1, 21)
        ]
        area = sum((one + two) / 2 for one, two in pairwise(curve)) / 19
        assert found.at_MC[m].tolist() == pytest.approx([curve[0], curve[4], curve[19]])
        assert found.area_M[m].item() == pytest.approx(area)


def test_misuse_is_named():
    with pytest.raises(ValueError, match="no classes"):
        class_heights([])
    with pytest.raises(ValueError, match=r"1\.\.2, got \[1\] and 3"):
        precision([[0, 1]], [0], range(6), [1], 3)
