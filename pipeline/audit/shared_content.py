"""Items with the same picture or the same title, above all those that are filed differently.

Shape letters: N items.
"""

import numpy as np
import pandas as pd

from pipeline.audit.path_distance import tree_distances

KINDS = {
    "picture": "the same picture",
    "text": "the same title",
    "near_text": "titles that differ in a size, a colour or a number alone",
}
"""Columns of the table of groups that say what items share, the surest first."""
NEAR_KINDS = {
    "near_picture": "nearly the same picture",
    "near_title": "titles that differ in a word, its spelling or its place alone",
}
"""What `near_pairs.find_near` finds."""
ALL_KINDS = KINDS | NEAR_KINDS
COLUMNS = [
    *("kind", "item_id", "class_path", "other_id", "other_path"),
    *("tree_distance", "items", "agreeing"),
]


def find_shared(
    items: pd.DataFrame, separator: str, near: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Pair items that share a picture or a title with one of the class that most such items have.

    There is one pair for each item but one of a set, so that the time and the list are linear in
    the items. Sets that agree on their class are listed as well, behind the others.

    Args:
        items: N items with `item_id`, `class_path`, and the columns of KINDS: numbers that are the
            same where what they stand for is.
        separator: What joins the parts of a class path.
        near: Pairs of NEAR_KINDS, with the columns below but the distance.

    Returns:
        Pairs, those farthest apart in the tree first: `kind`, `item_id`, `class_path`, `other_id`,
        `other_path`, `tree_distance` in edges, `items` of the set, and `agreeing`: how many of
        these have the class of the item.
    """
    tables = [*(_pairs(items, kind) for kind in KINDS), *([] if near is None else [near])]
    pairs = pd.concat(tables, ignore_index=True)
    # Items of the same title have nearly the same title as well: the surest reason is said.
    both = np.sort(pairs[["item_id", "other_id"]].to_numpy(dtype=str), axis=1)
    pairs = pairs[~pd.DataFrame(both).duplicated().to_numpy()].reset_index(drop=True)
    pairs["tree_distance"] = tree_distances(pairs["class_path"], pairs["other_path"], separator)
    order = ["tree_distance", "items"]
    return pairs.sort_values(order, ascending=False, kind="stable", ignore_index=True)[COLUMNS]


def _pairs(items: pd.DataFrame, kind: str) -> pd.DataFrame:
    frame = items[["item_id", "class_path", kind]]
    frame = frame[frame.groupby(kind)["item_id"].transform("size") > 1]
    size = frame.groupby(kind)["item_id"].transform("size")
    agreeing = frame.groupby([kind, "class_path"])["item_id"].transform("size")
    frame = frame.assign(kind=kind, items=size, agreeing=agreeing)
    # Of the class with most items of the set, and at a tie the alphabetically first, the first.
    ranked = frame.sort_values(["agreeing", "class_path"], ascending=[False, True], kind="stable")
    first = ranked.drop_duplicates(kind).set_index(kind)
    other = frame[kind].map(first["item_id"])
    frame = frame.assign(other_id=other, other_path=frame[kind].map(first["class_path"]))
    return frame[frame["item_id"] != frame["other_id"]]
