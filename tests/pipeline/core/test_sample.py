import numpy as np
import pytest

from pipeline.core.sample import draw_sample


def test_all_are_taken_where_no_more_are_wanted():
    assert draw_sample(5, 5, seed=0).tolist() == [0, 1, 2, 3, 4]
    assert draw_sample(3, 100, seed=0).tolist() == [0, 1, 2]


def test_a_seed_gives_these_items_on_any_machine():
    # Typed in: whoever reads the figures of a run can draw its sample again.
    assert draw_sample(1000, 5, seed=0).tolist() == [269, 307, 510, 635, 847]
    assert draw_sample(1000, 5, seed=1).tolist() == [34, 471, 510, 753, 949]


def test_no_item_comes_twice_and_they_ascend():
    chosen = draw_sample(1000, 900, seed=3)
    assert chosen.dtype == np.int64
    assert (np.diff(chosen) > 0).all()
    assert chosen[0] >= 0
    assert chosen[-1] < 1000


def test_every_item_is_as_likely_as_any_other():
    drawn = np.bincount(np.concatenate([draw_sample(20, 5, seed) for seed in range(4000)]))
    # 4,000 draws of a quarter: 1,000 each, deviation sqrt(4000 / 4 * 3 / 4) = 27.
    assert drawn == pytest.approx(np.full(20, 1000), abs=110)


def test_classes_of_a_sorted_catalogue_are_all_in_a_sample():
    label_N = np.repeat(np.arange(1000), 45)
    sampled = np.bincount(label_N[draw_sample(len(label_N), 4096, seed=0)], minlength=1000)
    # Chance leaves out a class once in (1 - 4096 / 45000)^45 = 0.0136.
    assert (sampled > 0).sum() > 960
