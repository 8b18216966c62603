import pytest
import torch

from pipeline.metrics.best_columns import best_columns, order_key


def by_hand(row, k):
    return [index for _, index in sorted((-score, index) for index, score in enumerate(row))][:k]


@pytest.mark.parametrize("distinct", [1, 2, 5, 100_000])
@pytest.mark.parametrize(("columns", "k"), [(1, 1), (7, 7), (7, 3), (500, 1), (500, 10), (999, 60)])
def test_order_is_score_then_index_however_many_ties(distinct, columns, k):
    generator = torch.Generator().manual_seed(columns + distinct)
    score = torch.randint(-distinct, distinct, (40, columns), generator=generator) / 7
    found = best_columns(score, k)
    assert found.tolist() == [by_hand(row, k) for row in score.tolist()]


def test_tie_that_reaches_across_the_last_place_goes_to_the_lower_index():
    score = torch.zeros(1, 400)
    score[0, 399] = 1.0
    assert best_columns(score, 3).tolist() == [[399, 0, 1]]


def test_left_out_candidates_come_last():
    score = torch.full((1, 300), -torch.inf)
    score[0, 250], score[0, 17] = -0.5, -0.7
    assert best_columns(score, 3)[0, :2].tolist() == [250, 17]


def test_one_float_step_decides():
    score = torch.full((1, 300), 0.75)
    score[0, 200] = torch.nextafter(torch.tensor(0.75), torch.tensor(1.0))
    assert best_columns(score, 2).tolist() == [[200, 0]]


def test_key_orders_negative_zero_and_infinite_scores():
    # Falling order by hand; -0.0 equals 0.0, so the lower index 4 comes before 9.
    score = torch.tensor([torch.inf, 1.5, 1e-40, -0.0, 0.0, -1e-40, -2.0, -torch.inf])
    index = torch.tensor([3, 5, 6, 4, 9, 7, 1, 0])
    key = order_key(score, index)
    assert key.tolist() == sorted(key.tolist(), reverse=True)
    assert len(set(key.tolist())) == 8
