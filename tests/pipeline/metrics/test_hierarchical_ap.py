import pytest
import torch

from pipeline.metrics import hierarchical_ap as module
from pipeline.metrics.graded_hierarchy import class_heights
from pipeline.metrics.hierarchical_ap import hierarchical_average_precision
from pipeline.metrics.retrieval import nearest

# x and y are below a, z and w below b: heights 0 (itself), 1 (its sister), 2 (the others).
SISTERS = [["a", "x"], ["a", "y"], ["b", "z"], ["b", "w"]]


def average_precision(results, query, gallery, classes=SISTERS, **groups):
    return hierarchical_average_precision(
        torch.tensor(results),
        torch.tensor(query),
        torch.tensor(gallery),
        class_heights(classes),
        **groups,
    ).tolist()


def test_by_hand():
    # Query x; results y x z x stand at heights 1 0 2 0.
    # Of x: hits at ranks 2 and 4, (1/2 + 2/4) / 2 = 1/2.
    # Below a: hits at ranks 1, 2 and 4, (1 + 1 + 3/4) / 3 = 11/12. The mean is 17/24.
    assert average_precision([[2, 0, 3, 1]], [0], [0, 0, 1, 2]) == pytest.approx([17 / 24])


def test_cut_it_is_judged_by_what_can_be_found_in_so_many():
    # The first two of the same results. Of x: (1/2) / 2. Below a there are three, but two fit:
    # (1 + 1) / 2. The mean is 5/8.
    assert average_precision([[2, 0]], [0], [0, 0, 1, 2]) == pytest.approx([5 / 8])


def test_nearest_first_scores_exactly_one_and_farthest_first_least():
    gallery = [0, 0, 0, 1, 2, 3]
    assert average_precision([[1, 0, 2, 3, 5, 4]], [0], gallery) == [1]
    assert average_precision([[1, 0, 2, 3]], [0], gallery) == [1]
    # Of x: ranks 4 5 6, (1/4 + 2/5 + 3/6) / 3 = 23/60.
    # Below a: ranks 3 4 5 6, (1/3 + 2/4 + 3/5 + 4/6) / 4 = 21/40. The mean is 109/240.
    assert average_precision([[4, 5, 3, 0, 1, 2]], [0], gallery) == pytest.approx([109 / 240])


def test_a_large_class_is_worth_no_less_than_its_sister():
    # Three of x and one of y: by population y would be worth 1/2 and each x a third.
    gallery = [0, 0, 0, 1]
    (own_first,) = average_precision([[0, 1, 2, 3]], [0], gallery)
    (sister_first,) = average_precision([[3, 0, 1, 2]], [0], gallery)
    assert own_first == 1 > sister_first


def test_a_flat_tree_gives_average_precision():
    # Hits at ranks 1 and 3: (1 + 2/3) / 2.
    classes = [["x"], ["y"]]
    assert average_precision([[0, 1, 2]], [0], [0, 1, 0], classes) == pytest.approx([5 / 6])


def test_where_nothing_is_near_it_is_zero():
    assert average_precision([[2, 3], [-1, -1]], [0, 1], [2, 2, 2, 3]) == [0, 0]
    assert average_precision([[-1, -1]], [0], []) == [0]
    # Only a sister: the one height that there is counts.
    assert average_precision([[0, 1]], [0], [1, 2]) == [1]


def naive(order, query, gallery, allowed, heights):
    """The formula of the paper, with the relevance that the docstring states."""
    tree, height_KK = heights.tree, heights.pair_KK
    of = {n: int(height_KK[query, gallery[n]]) for n in allowed}
    relevance = {
        n: sum(1 / sum(other <= level for other in of.values()) for level in range(height, tree))
        for n, height in of.items()
    }
    total = 0.0
    for rank, n in enumerate(order, start=1):
        before = sum(min(relevance[n], relevance[m]) for m in order[: rank - 1])
        total += (relevance[n] + before) / rank
    return total / (sum(relevance.values()) or 1)


@pytest.mark.parametrize("rows", [7, 4096])
def test_without_a_cut_it_is_the_papers_formula(monkeypatch, rows):
    monkeypatch.setattr(module, "ROWS_PER_BLOCK", rows)
    generator = torch.Generator().manual_seed(0)
    classes = sorted(
        {
            tuple("abc"[int(c)] for c in torch.randint(0, 3, (n,), generator=generator))
            for n in torch.randint(1, 5, (25,), generator=generator).tolist()
        }
    )
    heights = class_heights(classes)
    # Few coordinates, so that many results tie.
    point = torch.randint(-2, 3, (50, 3), generator=generator).float()
    label = torch.randint(0, len(classes), (50,), generator=generator)
    group = torch.randint(0, 20, (50,), generator=generator)
    groups = {"query_group_M": group, "gallery_group_N": group}
    index = nearest(point, point, 50, **groups).indices
    found = hierarchical_average_precision(index, label, label, heights, **groups)
    for m in range(50):
        allowed = [n for n in range(50) if group[n] != group[m]]
        order = [n for n in index[m].tolist() if n >= 0]
        assert sorted(order) == allowed
        expected = naive(order, int(label[m]), label.tolist(), allowed, heights)
        assert found[m].item() == pytest.approx(expected)
