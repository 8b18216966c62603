import torch

from pipeline.metrics.own_group import OwnGroup


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
