import numpy as np
import pytest

from pipeline.encoders.token_choice import choose_tokens, token_idf

IDS = np.array([101, 7, 8, 7, 9, 5, 102])
SPECIAL = np.array([True, False, False, False, False, False, True])


def choose(most, idf=None, *, salient=True):
    return IDS[choose_tokens(IDS, SPECIAL, most, idf, salient=salient)].tolist()


def idf(**values):
    idf_V = np.ones(200, dtype=np.float32)
    for name, value in values.items():
        idf_V[int(name[1:])] = value
    return idf_V


def test_a_short_text_is_kept_whole():
    assert choose(7) == choose(100, salient=False) == IDS.tolist()


def test_the_first_tokens_are_kept_between_the_special_ones():
    assert choose(5, salient=False) == [101, 7, 8, 7, 102]


def test_the_most_salient_tokens_are_kept_in_their_order():
    # count x idf: 7 has 2 x 1, 8 has 1.5, 9 has 3, 5 has 1.
    weights = idf(t8=1.5, t9=3.0)
    assert choose(3, weights) == [101, 9, 102]
    assert choose(5, weights) == [101, 7, 7, 9, 102]
    assert choose(6, weights) == [101, 7, 8, 7, 9, 102]


def test_of_equally_salient_tokens_the_first_are_kept():
    assert choose(6, idf(t7=0.5)) == [101, 7, 8, 7, 9, 102]
    # Without weights the count alone decides.
    assert choose(4) == [101, 7, 7, 102]


def test_special_tokens_stay_even_without_room():
    assert choose(1) == [101, 102]


def test_idf_counts_texts_and_not_occurrences():
    found = token_idf([np.array([3, 3, 1]), np.array([3])], 5)
    # ln(3 / 3) + 1, ln(3 / 2) + 1 and ln(3 / 1) + 1
    assert found[[3, 1, 0]].tolist() == pytest.approx([1.0, 1.405465, 2.098612])
    assert found.dtype == np.float32
