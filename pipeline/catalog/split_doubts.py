"""What a split does not keep apart, and what it leaves untested: warnings for the user.

Shape letters: N items.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

import pandas as pd

from pipeline.catalog.split import class_name_of
from pipeline.features.classes import Classes
from pipeline.features.shared import NEAR_TEXTS

ENOUGH_FOR_TEST = 2
"""Test items that a class should have, by its share, before it is missed."""

FEW_FOR_TEST = 100
"""Test items from which figures tell settings apart that differ by a tenth."""


class Divided(NamedTuple):
    """Leaks of a split."""

    sets: int
    """Sets with items on more than one side."""
    test_items: int
    """Test items of a set that has items in other splits that count as seen."""
    all_test_items: int
    """Items in test altogether."""


def doubt_splits(groups: pd.DataFrame, splits: pd.DataFrame) -> Iterator[str]:
    """Say what of the test split was seen in training, one line per finding.

    That is divided sets, which only a split that the user gave has, and nearly identical texts of
    more than NEAR_TEXTS of the test items.

    Args:
        groups: What `number_values` returns, and `group`: the sets that split.keep_together forms.
        splits: `item_id` and `split` of the same items.
    """
    divided = count_divided(groups, splits, "group")
    if divided.sets:
        sets = "1 set" if divided.sets == 1 else f"{divided.sets} sets"
        concerned = ""
        if divided.test_items:
            concerned = (
                f"{_share_of_test(divided)} have a fellow in train or val, so that test figures "
                "are too good; "
            )
        yield (
            f"catalog.columns.split: the ready-made split divides {sets} of items that "
            f"split.keep_together keeps together; {concerned}mark every item of a set alike, or "
            "set the key to null to have the split drawn"
        )
    near = count_divided(groups, splits, "near_text", seen=("train",))
    if near.test_items > NEAR_TEXTS * near.all_test_items:
        yield (
            f"split.keep_together: {_share_of_test(near)} have a text that differs from one in "
            "train in sizes, colours or numbers at most, so that test figures say little of new "
            "products; add near_text to the key, or name the column of the products "
            "with catalog.columns.group; a ready-made split has to be divided by products"
        )


def doubt_classes(
    items: pd.DataFrame, splits: pd.DataFrame, classes: Classes, *, test: float
) -> str | None:
    """Say which classes a drawn split could not divide, though they are large enough.

    Args:
        items: N items with `class_path`; `split` is empty unless the user gave one.
        splits: `item_id` and `split` of the same items in the same order.
        classes: Their classes.
        test: Share of items that was wanted for the test.

    Returns:
        One line; None where every class that should have two test items has one, or the split is
        the user's.
    """
    if test == 0.0 or (items["split"] != "").any():
        return None
    frame = pd.DataFrame({"name": class_name_of(items, classes), "split": splits["split"]})
    sizes = frame["name"].value_counts().sort_index()
    tested = frame.loc[frame["split"] == "test", "name"]
    untested = sizes[(sizes * test >= ENOUGH_FOR_TEST) & ~sizes.index.isin(tested)]
    if untested.empty:
        return None
    largest = untested.idxmax()
    classes_of = "1 class" if len(untested) == 1 else f"{len(untested)} classes"
    return (
        f"split: {classes_of} of {untested.sum()} items without a test item, for example "
        f"{largest!r} ({untested.max()} items): what split.keep_together ties, such as one text "
        "for all of its items, is not divided; no figure tells of them"
    )


def advise_on_size(splits: pd.DataFrame) -> str | None:
    """Say what to expect where there are few test items; None where there are enough, or none."""
    sizes = splits["split"].value_counts()
    test, val = int(sizes.get("test", 0)), int(sizes.get("val", 0))
    if not 0 < test < FEW_FOR_TEST:
        return None
    # Half the width of a 95 % interval of a share of one half.
    within = 0.98 / test**0.5
    return (
        f"with {test} test and {val} validation items a figure may be off by {within:.2f}, and "
        "huse classify leaves nearly all to a person: good for searching and sorting; to compare "
        "settings, take several values of split.seed"
    )


def count_divided(
    groups: pd.DataFrame,
    splits: pd.DataFrame,
    column: str,
    *,
    seen: Collection[str] = ("train", "val"),
) -> Divided:
    """Count the sets of items that a split divides.

    Args:
        groups: `item_id` and a `column` of numbers that items of one set have in common.
        splits: `item_id` and `split` of the same items.
        column: The column of the numbers.
        seen: Splits of which the model knows something before the test.
    """
    split_N = groups["item_id"].map(splits.set_index("item_id")["split"])
    sides = split_N.groupby(groups[column]).nunique()
    test_N = groups.loc[split_N == "test", column]
    seen_N = test_N.isin(groups.loc[split_N.isin(seen), column])
    return Divided(int((sides > 1).sum()), int(seen_N.sum()), len(test_N))


def _share_of_test(divided: Divided) -> str:
    share = divided.test_items / divided.all_test_items
    return f"{divided.test_items} of {divided.all_test_items} test items ({share:.1%})"
