import torch

from pipeline.train.losses.class_members import class_members


def test_lists_each_items_class_padded_to_the_largest():
    position, is_member = class_members(torch.tensor([5, 2, 5, 9, 5, 2]))
    members = [row[keep].tolist() for row, keep in zip(position, is_member, strict=True)]
    assert members == [[0, 2, 4], [1, 5], [0, 2, 4], [3], [0, 2, 4], [1, 5]]
    assert position.shape == (6, 3)
    assert position[3].tolist() == [3, 0, 0]
