import pandas as pd
import pytest

from pipeline.audit.near_titles import MOST_TITLES, are_near, find_near_titles


def found(*titles, near_text=None):
    """Pairs of titles that are filed under a class each, or as `title | class`."""
    split = [title.partition(" | ") for title in titles]
    frame = pd.DataFrame(
        {
            "text": [text for text, _, _ in split],
            "class_path": [path or f"x<{number}" for number, (_, _, path) in enumerate(split)],
        },
        dtype=str,
    )
    frame["title"] = frame["text"].str.casefold()
    frame["near_text"] = range(len(frame)) if near_text is None else near_text
    return find_near_titles(frame).tolist()


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("wool scarf long", "long wool scarf", True),
        ("wool scarf with fringes", "wool scarf with long fringes", True),
        ("wool scarf", "wool scarf long", False),  # a third of it
        ("wool scarf with fringes", "wool scarv with fringes", True),
        ("wool scarf with fringes", "wool scraf with fringes", True),
        ("wool scarf with fringes", "wool scarf with fringe", True),
        ("wool scarf with fringes", "wool shawl with fringes", False),
        ("wool scarf for men", "wool scarf for man", False),  # short words differ in a letter
        ("lamp model a 210 k", "lamp model a 210", False),
        ("lamp model a 210", "lamp model a 211", False),
        ("lamp", "lamp", False),
    ],
)
def test_what_is_near(one, other, near):
    assert are_near(one.split(), other.split()) is near
    assert are_near(other.split(), one.split()) is near


def test_titles_that_are_near_and_filed_apart_are_found():
    titles = ["Wool scarf, long", "Long wool scarf", "Hat of felt with band", "Hat of felt, band"]
    assert found(*titles) == [[0, 1], [2, 3]]


def test_titles_of_one_class_are_pairs_as_well():
    titles = "wool scarf long | a", "long wool scarf | a", "scarf wool long | b"
    assert found(*titles) == [[0, 1], [0, 2], [1, 2]]


def test_what_another_kind_of_pair_says_is_not_said_again():
    assert found("blue wool scarf long", "wool scarf long", near_text=[7, 7]) == []
    assert found("wool scarf long", "WOOL scarf long") == []


def test_a_word_that_names_a_class_is_why_they_are_filed_apart():
    assert found("printed cotton red kurti | kurtis", "printed cotton red kurta | kurtas") == []
    assert found("printed cotton red kurti | tops", "printed cotton red kurta | shirts") == [[0, 1]]


def test_a_place_in_which_many_titles_differ_is_what_tells_them_apart():
    titles = [f"wool scarf with {word}" for word in ["stripes", "stripez", "dots", "checks", "fur"]]
    assert found(*titles[:MOST_TITLES]) == [[0, 1]]
    assert found(*titles) == []


def test_there_may_be_none():
    assert found() == []
    assert found("!!", "??", "...") == []
