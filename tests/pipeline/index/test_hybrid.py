import numpy as np
import pytest

from pipeline.index.hybrid import candidates_by_words, in_order, keep_inside

SCORE_N = np.array([0.0, 0.5, 1.0, 0.5, 0.5, 0.0, 0.2], dtype=np.float32)


def test_items_outside_have_no_words():
    inside_N = np.arange(7) < 2
    assert keep_inside(SCORE_N, inside_N).tolist() == [0, 0.5, 0, 0, 0, 0, 0]
    assert keep_inside(SCORE_N, None) is SCORE_N
    assert keep_inside(None, inside_N) is None
    assert keep_inside(SCORE_N, np.arange(7) < 1) is None


@pytest.mark.parametrize(
    ("number", "rows"),
    [(1, [2]), (2, [1, 2, 3, 4]), (4, [1, 2, 3, 4]), (5, [1, 2, 3, 4, 6]), (99, [1, 2, 3, 4, 6])],
)
def test_candidates_have_a_word_and_none_is_left_out_for_a_tie(number, rows):
    assert np.flatnonzero(candidates_by_words(SCORE_N, number)).tolist() == rows


def test_the_order_is_by_the_sum_or_by_words_and_ties_by_the_catalogue():
    row_C = np.array([6, 2, 4, 1, 0, 4, 1, 5])
    similarity_C = np.array([0.9, 0.1, 0.5, 0.4, 0.85, 0.5, 0.4, 0.85])

    def rows(mode, weight):
        return row_C[in_order(row_C, similarity_C, SCORE_N, mode, weight)].tolist()

    assert rows("hybrid", 1e-6) == [6, 0, 5, 4, 1, 2]
    assert rows("hybrid", 0.5) == [6, 0, 5, 4, 1, 2]
    assert rows("hybrid", 1.1) == [2, 6, 4, 1, 0, 5]
    assert rows("hybrid", 10.0) == rows("words", 1e-6) == [2, 4, 1, 6, 0, 5]
