import pandas as pd
import pytest

from pipeline.audit.shared_content import find_shared


def items(*rows):
    """Rows of class path, picture, title and title without variants."""
    columns = ["class_path", "picture", "text", "near_text"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(item_id=[f"i{n}" for n in range(len(rows))])


def pairs(frame):
    columns = ["kind", "item_id", "other_id", "tree_distance", "items", "agreeing"]
    return find_shared(frame, "<")[columns].to_numpy().tolist()


def test_items_that_share_nothing_are_no_pairs():
    assert pairs(items(("a", 0, 0, 0), ("b", 1, 1, 1))) == []


def test_an_item_is_paired_with_one_of_the_class_that_most_have():
    frame = items(
        ("watches", 7, 0, 0), ("jerseys", 7, 1, 1), ("jerseys", 7, 2, 2), ("hats", 1, 3, 3)
    )
    assert pairs(frame) == [["picture", "i0", "i1", 2, 3, 1], ["picture", "i2", "i1", 0, 3, 2]]


def test_those_farthest_apart_come_first_and_then_those_of_large_sets():
    frame = items(
        *[("a<b<c", 0, 0, 0), ("a<b<d", 0, 1, 1)],
        *[("a<b<c", 1, 2, 2), ("e<f<g", 1, 3, 3)],
        *[("a<b<c", 2, 4, 4)] * 3,
    )
    assert [row[3:5] for row in pairs(frame)] == [[6, 2], [2, 2], [0, 3], [0, 3]]


def test_the_surest_reason_is_said_once():
    frame = items(("a", 0, 5, 5), ("b", 1, 5, 5), ("b", 2, 6, 5), ("c", 3, 6, 9))
    # The first two share a title, and hence what is left of it, which the third has as well.
    assert {tuple(row[:3]) for row in pairs(frame)} == {
        ("text", "i1", "i0"),
        ("text", "i3", "i2"),
        ("near_text", "i2", "i1"),
    }


def test_at_a_tie_the_class_that_is_first_in_the_alphabet():
    assert pairs(items(("b", 0, 0, 0), ("a", 0, 1, 1))) == [["picture", "i0", "i1", 2, 2, 1]]


@pytest.mark.parametrize("count", [2, 1000])
def test_a_set_of_any_size_has_a_pair_less_than_items(count):
    assert len(pairs(items(*[("a", 0, n, n) for n in range(count)]))) == count - 1


def test_what_is_nearly_the_same_comes_after_what_is_the_same():
    frame = items(("a", 7, 0, 0), ("b", 7, 1, 1), ("c", 8, 2, 2))
    near = pd.DataFrame(
        [
            ("near_picture", "i1", "b", "i0", "a", 3, 1),
            ("near_picture", "i2", "c", "i0", "a", 3, 1),
        ],
        columns=["kind", "item_id", "class_path", "other_id", "other_path", "items", "agreeing"],
    )
    found = find_shared(frame, "<", near)[["kind", "item_id", "other_id"]]
    # The pair that shares its picture is there once.
    assert sorted(found.itertuples(index=False, name=None)) == [
        ("near_picture", "i2", "i0"),
        ("picture", "i1", "i0"),
    ]
