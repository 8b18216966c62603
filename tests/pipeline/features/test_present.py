import numpy as np
import torch

from pipeline.features.present import Present, present_of


def test_items_that_all_have_both_need_no_flags():
    assert present_of(np.ones(3, bool), np.ones(3, bool)) is None
    assert present_of(np.ones(0, bool), np.ones(0, bool)) is None


def test_flags_are_taken_with_their_items():
    present = present_of(np.array([True, True, False]), np.array([True, False, True]))
    assert present.both_N.tolist() == [True, False, False]
    taken = present.take(torch.tensor([2, 0]))
    assert isinstance(taken, Present)
    assert (taken.image_N.tolist(), taken.text_N.tolist()) == ([False, True], [True, True])
