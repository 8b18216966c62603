import torch

from pipeline.metrics.own_group import OwnGroup, count_candidates


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
    assert count_candidates(40, 70, query, gallery).tolist() == [len(some) for some in allowed]
    labels = {"query_label_M": query_label, "gallery_label_N": gallery_label}
    assert count_candidates(40, 70, query, gallery, **labels).tolist() == [
        sum(bool(gallery_label[n] == query_label[m]) for n in some)
        for m, some in enumerate(allowed)
    ]
    one_kind = count_candidates(40, 70, query[:, 0], gallery[:, 0])
    assert one_kind.tolist() == [int((gallery[:, 0] != query[m, 0]).sum()) for m in range(40)]
    assert count_candidates(2, 70).tolist() == [70, 70]
