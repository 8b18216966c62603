import hashlib

import pytest

from pipeline.clean_text.steps import NEGATIONS, STEPS
from pipeline.clean_text.stop_words import STOP_WORDS, VERSION

# Version of the list of stop words -> digest of its words.
STOP_WORD_LISTS = {"1": "0c98fde29ffc5a2e6d736e91f1af1d22191952a34501cf24a1e44de651946861"}


@pytest.mark.parametrize(
    ("step", "text", "expected"),
    [
        ("lower", "Red SHIRT", "red shirt"),
        ("letters_only", "T-shirt, 100% cotton", "T shirt cotton"),
        ("letters_of_any_script", "\u0434\u0432\u0430: 2 \u732b_x", "\u0434\u0432\u0430 \u732b x"),
        ("casefold", "E\u0301T\u00c9 Stra\u00dfe \u03a3", "\u00e9t\u00e9 strasse \u03c3"),
        ("punctuation", "red-blue, (1,000) a_b it's!", "red blue   1000  a b it's "),
        ("apostrophes", "it's women\u2019s `n", "its womens n"),
        ("stop_words", "this is not the red bag", "red bag"),
        ("stop_words_but_negations", "this is not the red bag", "not red bag"),
        ("single_characters", "x large 5 t shirt", "large shirt"),
        ("numbers", "size 41 or 101", "size forty-one or one hundred and one"),
        ("numbers", "model 007 x2 ²", "model seven x2 ²"),
        ("stem", "running shoes dresses", "run shoe dress"),
    ],
)
def test_a_single_step(step, text, expected):
    assert STEPS[step](text) == expected


def test_a_number_that_nobody_reads_out_stays():
    assert STEPS["numbers"]("9" * 5000) == "9" * 5000


def test_another_list_of_stop_words_is_another_version():
    """A trained model names the version that its texts were cleaned with."""
    digest = hashlib.sha256(" ".join(sorted(STOP_WORDS)).encode()).hexdigest()
    assert digest == STOP_WORD_LISTS[VERSION]
    assert NEGATIONS < STOP_WORDS
