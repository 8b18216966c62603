import pytest
import torch

from pipeline.metrics import neighbours as blocks
from pipeline.metrics.neighbours import candidates_of_class
from pipeline.metrics.retrieval import class_hits, nearest

# Four queries and eight items with their cosines typed by hand. `query` is the identity, so item
# n's similarity to query m is its entry m; the fifth entry, chosen freely, makes up the norm.
SIMILARITY = torch.tensor(
    [
        # 0     1     2     3     4     5     6     7   item
        [0.90, 0.10, 0.30, 0.20, 0.40, 0.00, 0.50, 0.05],  # order 0 6 4 2 3 1 7 5
        [0.20, 0.60, 0.50, 0.10, 0.00, 0.70, 0.30, 0.40],  # order 5 1 2 7 6 0 3 4
        [0.10, 0.20, 0.30, 0.80, 0.60, 0.40, 0.00, 0.50],  # order 3 4 7 5 2 1 0 6
        [0.05, 0.15, 0.25, 0.20, 0.10, 0.30, 0.70, 0.60],  # order 6 7 5 2 3 1 4 0
    ]
)
GALLERY = torch.cat((SIMILARITY, (1 - (SIMILARITY**2).sum(0, keepdim=True)).clamp(min=0).sqrt())).T
QUERY = torch.eye(4, 5)
GALLERY_LABEL = torch.tensor([0, 1, 1, 2, 0, 3, 3, 2])
QUERY_LABEL = torch.tensor([0, 1, 3, 2])
# First item of the query's class: query 0 (class 0: items 0, 4): item 0, place 1.
# Query 1 (class 1: items 1, 2): item 1, place 2. Query 2 (class 3: items 5, 6): item 5, place 4.
# Query 3 (class 2: items 3, 7): item 7, place 2.


def integers(rows, dimension, seed, largest=2):
    """Points on a coarse grid: exact products, most of them tied."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-largest, largest + 1, (rows, dimension), generator=generator).float()


def naive(query, gallery, k, query_group=None, gallery_group=None):
    rows = []
    for m in range(len(query)):
        left = [
            (-float(query[m] @ gallery[n]), n)
            for n in range(len(gallery))
            if query_group is None or query_group[m] != gallery_group[n]
        ]
        found = [n for _, n in sorted(left)[:k]]
        rows.append(found + [-1] * (k - len(found)))
    return rows


def test_results_of_the_typed_example():
    found = nearest(QUERY, GALLERY, 4)
    assert found.indices.tolist() == [[0, 6, 4, 2], [5, 1, 2, 7], [3, 4, 7, 5], [6, 7, 5, 2]]
    assert found.scores[0].tolist() == pytest.approx([0.9, 0.5, 0.4, 0.3])


def test_recall_of_the_typed_example():
    found = nearest(QUERY, GALLERY, 4)
    hits = class_hits(found.indices, QUERY_LABEL, GALLERY_LABEL, [1, 2, 3, 4])
    assert hits.tolist() == [[1, 1, 1, 1], [0, 1, 1, 1], [0, 0, 0, 1], [0, 1, 1, 1]]
    assert hits.double().mean(0).tolist() == [0.25, 0.75, 0.75, 1.0]


def test_within_one_modality_the_query_and_its_variants_are_no_candidates():
    # Items 0, 1, 2 point the same way; 0 and 1 are variants of one product.
    point = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    alone, variants = torch.arange(4), torch.tensor([0, 0, 1, 2])
    found = nearest(point, point, 2, query_group_M=alone, gallery_group_N=alone)
    assert found.indices.tolist() == [[1, 2], [0, 2], [3, 0], [2, 0]]
    found = nearest(point, point, 3, query_group_M=variants, gallery_group_N=variants)
    assert found.indices.tolist() == [[2, 3, -1], [2, 3, -1], [3, 0, 1], [2, 0, 1]]
    assert found.scores[0, 2] == -torch.inf


@pytest.mark.parametrize(
    ("M", "N", "k"), [(1, 60, 5), (7, 9, 4), (40, 300, 5), (300, 90, 90), (30, 20, 40), (3, 1, 2)]
)
def test_agrees_with_plain_loops_where_most_scores_tie(M, N, k):
    query, gallery = integers(M, 3, M), integers(N, 3, N)
    assert nearest(query, gallery, k).indices.tolist() == naive(query, gallery, k)
    groups = integers(M, 1, 1, 9)[:, 0].long(), integers(N, 1, 2, 9)[:, 0].long()
    found = nearest(query, gallery, k, query_group_M=groups[0], gallery_group_N=groups[1])
    assert found.indices.tolist() == naive(query, gallery, k, *groups)


@pytest.mark.parametrize("rows", [2, 5, 64])
def test_block_size_changes_nothing(monkeypatch, rows):
    generator = torch.Generator().manual_seed(3)
    point = torch.nn.functional.normalize(torch.randn(150, 40, generator=generator))
    expected = nearest(point, point, 7)
    monkeypatch.setattr(blocks, "ROWS_PER_BLOCK", rows)
    found = nearest(point, point, 7)
    assert torch.equal(found.indices, expected.indices)
    assert torch.equal(found.scores, expected.scores)


def test_a_row_finds_itself_first_in_float32():
    # 512 roundings per product: a reference score computed in another way differs for most rows.
    generator = torch.Generator().manual_seed(0)
    point = torch.nn.functional.normalize(torch.randn(700, 512, generator=generator))
    assert nearest(point, point, 1).indices[:, 0].tolist() == list(range(700))


def test_duplicates_tie_exactly_and_come_in_gallery_order():
    generator = torch.Generator().manual_seed(1)
    gallery = torch.nn.functional.normalize(torch.randn(500, 512, generator=generator))
    gallery[[40, 123, 499]] = gallery[7].clone()
    found = nearest(gallery[7:8], gallery, 5)
    assert found.indices[0, :4].tolist() == [7, 40, 123, 499]
    assert len(set(found.scores[0, :4].tolist())) == 1


def test_collapsed_space_scores_like_one_fixed_guess():
    # All points coincide, so everybody is given item 0, then item 1: classes 0 and 1.
    point = torch.ones(6, 4) / 2
    label = torch.tensor([0, 1, 2, 0, 1, 2])
    found = nearest(point, point, 2)
    assert found.indices.tolist() == [[0, 1]] * 6
    hits = class_hits(found.indices, label, label, [1, 2])
    assert hits.double().mean(0).tolist() == pytest.approx([2 / 6, 4 / 6])


def test_query_of_a_class_without_candidates_misses_and_is_counted():
    point = torch.eye(3)
    # Item 0 is alone in its class, so nothing fills the end of its list; item 0 least of all.
    label, group = torch.tensor([0, 1, 1]), torch.arange(3)
    found = nearest(point, point, 5, query_group_M=group, gallery_group_N=group)
    assert class_hits(found.indices, label, label, [1, 5])[0].tolist() == [False, False]
    counts = candidates_of_class(label, label, query_group_M=group, gallery_group_N=group)
    assert counts.tolist() == [0, 1, 1]
    assert candidates_of_class(label, label).tolist() == [1, 2, 2]


def test_empty_gallery_gives_no_result_and_no_hit():
    found = nearest(torch.eye(2), torch.empty(0, 2), 3)
    assert found.indices.tolist() == [[-1] * 3] * 2
    hits = class_hits(found.indices, torch.tensor([0, 1]), torch.empty(0, dtype=torch.int64), [1])
    assert hits.tolist() == [[False], [False]]


def test_no_queries():
    found = nearest(torch.empty(0, 2), torch.eye(2), 3)
    assert found.indices.shape == (0, 3)
    empty = torch.empty(0, dtype=torch.int64)
    assert class_hits(found.indices, empty, torch.tensor([0, 1]), [1, 3]).shape == (0, 2)


def test_misuse_is_named():
    with pytest.raises(ValueError, match="k must be at least 1"):
        nearest(torch.eye(2), torch.eye(2), 0)
    found = nearest(torch.eye(2), torch.eye(2), 2)
    for wrong in ([], [0], [1, 3]):
        with pytest.raises(ValueError, match=r"cut-offs must lie in 1\.\.2"):
            class_hits(found.indices, torch.zeros(2), torch.zeros(2), wrong)
