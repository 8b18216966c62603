import pandas as pd
import pytest

from pipeline.catalog.components import find_components, number_values
from pipeline.catalog.split_doubts import advise_on_size, count_divided, doubt_classes, doubt_splits
from pipeline.features.classes import make_classes
from tests.pipeline.catalog.frames import (
    KEEP,
    make_frame,
    pictures_of,
    split_items,
    with_compared,
)


def grouped(items, keep_together=KEEP):
    groups = number_values(with_compared(items), pictures_of(items))
    return groups.assign(group=find_components(groups, keep_together))


def test_a_given_split_that_divides_sets_is_told_with_the_share_of_test():
    items = make_frame(
        {"a": 4, "b": 4},
        group=lambda n: f"g{n // 2}" if n < 4 else "",
        split=lambda n: ("train", "test", "test", "test", "train", "train", "val", "test")[n],
    )
    groups = grouped(items)
    (line,) = doubt_splits(groups, split_items(items))
    assert line.startswith("catalog.columns.split: the ready-made split divides 1 set")
    assert "1 of 4 test items (25.0%)" in line
    drawn = split_items(items.assign(split=""), val=0.25, test=0.25)
    assert list(doubt_splits(groups, drawn)) == []


@pytest.mark.parametrize(
    ("sides", "test_items"),
    [(("train", "val", None), 0), (("val", "test", "test"), 1), (("train", "test", "test"), 1)],
)
def test_a_divided_set_is_told_whatever_splits_it_lies_in(sides, test_items):
    first, second, rest = sides
    groups = pd.DataFrame(
        {"item_id": list("abcd"), "group": [0, 0, 1, 2], "near_text": [0, 1, 2, 3]}
    )
    split = [first, second, "train", rest or "train"]
    (line,) = doubt_splits(groups, pd.DataFrame({"item_id": list("abcd"), "split": split}))
    assert "divides 1 set of items" in line
    assert ("test figures are too good" in line) == (test_items > 0)
    if test_items:
        assert "1 of 2 test items (50.0%) have a fellow in train or val" in line


def test_a_class_that_its_items_ties_keep_out_of_the_test_split_is_told():
    # All of class b have one text.
    items = make_frame({"a": 60, "b": 40}, text=lambda n: "watch" if n >= 60 else f"text {n}")
    classes = make_classes(items["class_path"], separator="<", label="path")
    splits = split_items(items)
    line = doubt_classes(items, splits, classes, test=0.1)
    assert line.startswith("split: 1 class of 40 items without a test item, for example 'b'")
    assert doubt_classes(items, splits, classes, test=0.04) is None, "too few to be missed"
    given = items.assign(split="train")
    assert doubt_classes(given, splits, classes, test=0.1) is None
    free = make_frame({"a": 60, "b": 40})
    assert doubt_classes(free, split_items(free), classes, test=0.1) is None


def test_no_finding_without_a_test_split():
    items = make_frame({"a": 50, "b": 50})
    groups = grouped(items)
    assert list(doubt_splits(groups, split_items(items, test=0.0))) == []


def test_texts_that_differ_in_size_or_colour_alone_are_told_and_kept_together_where_asked():
    # Ten products of ten variants each, beside a hundred products that are alone.
    variant = (
        "XS black",
        "S red",
        "M",
        "L blue",
        "XL",
        "2XL",
        "36",
        "38 white",
        "500 ml",
        "one size",
    )
    items = make_frame(
        {"a": 100, "b": 100},
        text=lambda n: (
            f"Hoodie {chr(97 + n // 10)} {variant[n % 10]}" if n < 100 else f"hat {'x' * n}"
        ),
    )

    def told(keep_together):
        splits = split_items(items, keep_together=keep_together)
        return list(doubt_splits(grouped(items, keep_together), splits))

    (line,) = told(KEEP)
    assert line.startswith(
        "split.keep_together: 20 of 40 test items (50.0%) have a text that differs"
    )
    assert "add near_text to the key" in line
    assert told((*KEEP, "near_text")) == []
    items["text"] = [f"product {'x' * n}" for n in range(200)]
    items.loc[items.index[:4], "text"] = "One Text"
    assert told(()) == [], "a few are not worth a line"


def test_divided_sets_are_counted_with_the_test_items_that_training_knows():
    groups = pd.DataFrame({"item_id": list("abcdefghi"), "group": [0, 0, 0, 1, 1, 2, 2, 3, 3]})
    split = ["train", "test", "test", "val", "test", "train", "val", "test", "test"]
    splits = pd.DataFrame({"item_id": groups["item_id"], "split": split})[::-1]
    # 0, 1 and 2 lie on two sides; 0 joins train and test, 1 val and test. Joined by item, not by
    # position.
    assert count_divided(groups, splits, "group") == (3, 3, 5)
    assert count_divided(groups, splits, "group", seen=["train"]) == (3, 2, 5)
    splits["split"] = "train"
    assert count_divided(groups, splits, "group") == (0, 0, 0)


def test_what_few_items_are_good_for_is_said():
    def said(test, val):
        return advise_on_size(pd.DataFrame({"split": ["test"] * test + ["val"] * val + ["train"]}))

    assert said(25, 9).startswith(
        "with 25 test and 9 validation items a figure may be off by 0.20, and huse classify"
    )
    assert said(100, 50) is None
    assert said(0, 5) is None
