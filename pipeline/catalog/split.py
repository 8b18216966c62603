"""Give every item its split: the user's, or one drawn by class.

Shape letters: N items.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from pipeline.catalog.components import Divided, count_divided
from pipeline.catalog.stratify import stratify
from pipeline.core.errors import InputError
from pipeline.features.classes import Classes, class_indices, item_classes

ENOUGH_FOR_TEST = 2
"""Test items that a class should have, by its share, before it is missed."""
NEAR_TEXTS = 0.05
"""Share of the test items with a nearly identical text in train from which on it is told: five
points of accuracy are more than most of what is compared on a test split."""


def make_splits(
    items: pd.DataFrame,
    classes: Classes,
    component_N: np.ndarray,
    *,
    val: float,
    test: float,
    seed: int,
    min_class_size: int,
) -> pd.DataFrame:
    """Assign every item to train, val or test.

    A split that the user gave is taken as it is, also where it divides what belongs together
    (`doubt_splits` tells). If it has no val, the share val / (1 - test) of its train becomes val,
    whole sets at a time.

    Args:
        items: N items from `make_items`.
        classes: Their classes.
        component_N: [N] numbers of the sets that are never divided.
        val: Share of items for validation, in (0, 1).
        test: Share of items for the test, in [0, 1); val + test < 1. With 0 there is no test split.
        seed: Another seed gives another split.
        min_class_size: Classes with fewer items stay wholly in train.

    Returns:
        `item_id` and `split` in the order of the items. Train and val have items, and so has test
        unless its share is 0 or the split that the user gave has none.

    Raises:
        InputError: A split that is needed would be empty.
    """
    split_N = items["split"].to_numpy(dtype=object, copy=True)
    is_given = bool((split_N != "").any())
    if is_given:
        _check_given(split_N)
        val, test = val / (1.0 - test), 0.0
    if "val" not in split_N:
        open_N = split_N == "train" if is_given else np.ones(len(items), dtype=bool)
        drawn = items[open_N]
        # Numbered anew without gaps. Two train items that belong together through a test item
        # alone stay together too.
        drawn_component_N = np.unique(component_N[open_N], return_inverse=True)[1]
        split_N[open_N] = stratify(
            drawn["item_id"].to_numpy(dtype=object),
            drawn_component_N,
            class_name_N=_class_names(drawn, classes),
            val=val,
            test=test,
            seed=seed,
            min_class_size=min_class_size,
        )
        wanted = ("train", "val", "test") if test > 0.0 else ("train", "val")
        _check_drawn(split_N, wanted, num_components=int(drawn_component_N.max()) + 1)
    return pd.DataFrame({"item_id": items["item_id"], "split": split_N}, dtype="str")


def doubt_splits(groups: pd.DataFrame, splits: pd.DataFrame) -> Iterator[str]:
    """Say what of the test split was seen in training.

    Args:
        groups: What `number_values` returns, and `group`: the sets that split.keep_together forms.
        splits: `item_id` and `split` of the same items.

    Yields:
        One line per finding: divided sets, which only a split that the user gave has, and nearly
        identical texts of more than NEAR_TEXTS of the test items.
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
    frame = pd.DataFrame({"name": _class_names(items, classes), "split": splits["split"]})
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


def _share_of_test(divided: Divided) -> str:
    share = divided.test_items / divided.all_test_items
    return f"{divided.test_items} of {divided.all_test_items} test items ({share:.1%})"


def _class_names(items: pd.DataFrame, classes: Classes) -> np.ndarray:
    names_K = np.array([entry["name"] for entry in item_classes(classes)], dtype=object)
    return names_K[class_indices(classes, items["class_path"])]


def _check_given(split_N: np.ndarray) -> None:
    if "train" not in split_N:
        raise InputError(
            "catalog.columns.split: no usable row is marked train; mark some, or set the key to "
            "null to have the split drawn"
        )


def _check_drawn(split_N: np.ndarray, drawn: Iterable[str], *, num_components: int) -> None:
    for name in drawn:
        if name not in split_N:
            raise InputError(
                f"split: no items for {name} ({len(split_N)} items, {num_components} sets that "
                f"may be divided); add items, raise split.{name}, lower split.min_class_size, or "
                "shorten split.keep_together"
            )
