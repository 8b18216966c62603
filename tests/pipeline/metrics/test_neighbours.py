import subprocess
import sys

import pytest
import torch

from pipeline.metrics import neighbours as module
from pipeline.metrics.neighbours import (
    OwnGroup,
    candidates_of_class,
    cut_tiles,
    multiply,
    score_blocks,
)


def test_lists_every_pair_of_one_group_and_no_other():
    query_group = torch.tensor([7, 1, 9, 7])
    gallery_group = torch.tensor([1, 7, 3, 7, 1])
    row, item = OwnGroup(query_group, gallery_group).pairs(slice(0, 4))
    assert sorted(zip(row.tolist(), item.tolist(), strict=True)) == [
        (0, 1), (0, 3), (1, 0), (1, 4), (3, 1), (3, 3),
    ]  # fmt: skip


def test_rows_count_from_the_start_of_the_block():
    group = torch.tensor([5, 6, 5])
    row, item = OwnGroup(group, group).pairs(slice(1, 3))
    assert sorted(zip(row.tolist(), item.tolist(), strict=True)) == [(0, 1), (1, 0), (1, 2)]


def test_no_pair_at_all():
    row, item = OwnGroup(torch.tensor([1, 2]), torch.tensor([3, 4])).pairs(slice(0, 2))
    assert len(row) == len(item) == 0


def both_kinds(count, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 9, (count, 2), generator=generator)


def test_an_item_of_the_querys_group_of_any_kind_is_left_out_once_and_without_chains():
    # Query 0 shares the first kind with item 0, the second with item 1, both with item 2. Item 3
    # shares with item 1 alone.
    query = torch.tensor([[5, 6]])
    gallery = torch.tensor([[5, 1], [2, 6], [5, 6], [2, 3]])
    row, item = OwnGroup(query, gallery).pairs(slice(0, 1))
    assert row.tolist() == [0, 0, 0]
    assert sorted(item.tolist()) == [0, 1, 2]


def test_candidates_are_counted_as_a_plain_loop_counts_them():
    query, gallery = both_kinds(40, 0), both_kinds(70, 1)
    query_label, gallery_label = torch.arange(40) % 3, torch.arange(70) % 3
    allowed = [[n for n in range(70) if not (query[m] == gallery[n]).any()] for m in range(40)]
    any_query, any_item = torch.zeros(40), torch.zeros(70)
    groups = {"query_group_M": query, "gallery_group_N": gallery}
    found = candidates_of_class(any_query, any_item, **groups)
    assert found.tolist() == [len(some) for some in allowed]
    assert candidates_of_class(query_label, gallery_label, **groups).tolist() == [
        sum(bool(gallery_label[n] == query_label[m]) for n in some)
        for m, some in enumerate(allowed)
    ]
    one_kind = {"query_group_M": query[:, 0], "gallery_group_N": gallery[:, 0]}
    found = candidates_of_class(any_query, any_item, **one_kind)
    assert found.tolist() == [int((gallery[:, 0] != query[m, 0]).sum()) for m in range(40)]
    assert candidates_of_class(torch.zeros(2), any_item).tolist() == [70, 70]


def whole(query, gallery, **groups):
    scores = torch.full((len(query), len(gallery)), torch.nan)
    for rows, block in score_blocks(query, gallery, **groups):
        scores[rows] = block
    return scores


def unit(rows, dimension, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.nn.functional.normalize(torch.randn(rows, dimension, generator=generator))


@pytest.mark.parametrize("rows", [1, 2, 255, 256, 257, 600])
def test_scores_are_the_dot_products_of_every_query(rows):
    query, gallery = unit(rows, 33, 0), unit(501, 33, 1)
    expected = (query.double() @ gallery.double().T).float()
    torch.testing.assert_close(whole(query, gallery), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("rows_per_block", [2, 7, 100])
@pytest.mark.parametrize("scores_per_tile", [64, 500, 1500])
def test_block_and_tile_sizes_change_not_one_bit(monkeypatch, rows_per_block, scores_per_tile):
    query, gallery = unit(203, 96, 0), unit(501, 96, 1)
    expected = whole(query, gallery)
    monkeypatch.setattr(module, "ROWS_PER_BLOCK", rows_per_block)
    monkeypatch.setattr(module, "SCORES_PER_TILE", scores_per_tile)
    assert torch.equal(whole(query, gallery), expected)


def test_equal_gallery_rows_score_equal_wherever_they_stand():
    gallery = unit(777, 100, 0)
    gallery[[3, 64, 700, 776]] = gallery[50].clone()
    scores = whole(unit(40, 100, 1), gallery)
    for column in (3, 64, 700, 776):
        assert torch.equal(scores[:, column], scores[:, 50])


def test_items_of_the_own_group_score_minus_infinity():
    query, gallery = torch.eye(3), torch.eye(3)
    groups = torch.tensor([4, 4, 5])
    scores = whole(query, gallery, query_group_M=groups, gallery_group_N=groups)
    out = -torch.inf
    assert scores.tolist() == [[out, out, 0], [out, out, 0], [0, 0, out]]


def test_both_ways_to_multiply_agree_exactly_on_small_integers(monkeypatch):
    # Sums of products of small integers are exact in float32, in any order.
    generator = torch.Generator().manual_seed(0)
    query = torch.randint(-8, 9, (37, 50), generator=generator).float()
    gallery = torch.randint(-8, 9, (91, 50), generator=generator).float()
    first, second = torch.empty(37, 91), torch.empty(37, 91)
    multiply(query, cut_tiles(gallery, 37), out_BN=first)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    multiply(query, cut_tiles(gallery, 37), out_BN=second)
    assert torch.equal(first, second)
    assert torch.equal(first, query @ gallery.T)


def test_strided_embeddings_are_fine():
    both = unit(30, 20, 0)
    query, gallery = both[::2, :10], both[1::2, 10:]
    torch.testing.assert_close(whole(query, gallery), query @ gallery.T)


def test_nothing_to_yield_without_queries_or_gallery():
    assert list(score_blocks(torch.empty(0, 3), torch.eye(3))) == []
    assert list(score_blocks(torch.eye(3), torch.empty(0, 3))) == []


@pytest.mark.parametrize(
    ("query", "gallery", "groups", "message"),
    [
        (torch.zeros(2, 3), torch.zeros(2, 4), {}, r"\(2, 3\) and \(2, 4\)"),
        (torch.zeros(2, 3).double(), torch.zeros(2, 3), {}, "query must be float32"),
        (torch.zeros(2, 3), torch.full((2, 3), torch.nan), {}, "gallery holds"),
        (torch.full((2, 3), torch.inf), torch.zeros(2, 3), {}, "query holds"),
        (torch.eye(3), torch.eye(3), {"query_group_M": torch.arange(3)}, "of both"),
        (
            torch.eye(3),
            torch.eye(3),
            {"query_group_M": torch.arange(3), "gallery_group_N": torch.arange(2)},
            r"groups must be \[3\] and \[3\]",
        ),
    ],
)
def test_misuse_is_named(query, gallery, groups, message):
    with pytest.raises(ValueError, match=message):
        list(score_blocks(query, gallery, **groups))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_pairs():
    # All pairs at once would take 25,000^2 * 4 bytes = 2.3 GiB.
    program = """
import resource, torch
from pipeline.metrics.retrieval import nearest
torch.set_num_threads(1)
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
point = torch.nn.functional.normalize(torch.randn(25_000, 4))
nearest(point[:300], point[:300], 10)
before = peak()
nearest(point, point, 10, query_group_M=torch.arange(25_000), gallery_group_N=torch.arange(25_000))
print(peak() - before)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert int(done.stdout) < 500
