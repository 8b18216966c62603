"""Which items are evaluated, by which modalities, and what is said when not all can be.

Shape letters: N items, M test items.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core.table import read_table
from pipeline.features.joined import FeatureIndex, join_features
from pipeline.features.pairs import Pairs, read_pairs
from pipeline.features.shared import SHARED

BLOCK = 8192
"""Items whose features are in memory at a time."""
FEWEST_CLASSES = 2


@dataclass(frozen=True)
class EvaluationItems:
    """Items in the catalogue's order, with the places of their features."""

    table: pd.DataFrame
    """N rows: item_id, image, text, class_path, split, label; group, which the bootstrap draws
    together; and product, picture, same_text and near_text, numbers that items share where these
    are the same."""
    modalities: tuple[str, ...]
    """Which of image, text and fused these items have."""
    warnings: tuple[str, ...]
    """What cannot be measured and why, one line each."""
    index: FeatureIndex
    """The same items."""

    @property
    def test(self) -> np.ndarray:
        """[M] int64 positions of the test items."""
        return np.flatnonzero(self.table["split"] == "test")

    def shared_with(self, column: str, splits: list[str]) -> np.ndarray:
        """[M] bool: which test items share a column's number with items of these splits."""
        seen = self.table.loc[self.table["split"].isin(splits), column]
        return self.table[column].iloc[self.test].isin(set(seen)).to_numpy()

    def blocks(self, rows: np.ndarray) -> Iterator[Pairs]:
        """Read features of items at `rows`, up to BLOCK at a time; at least one block is given."""
        for start in range(0, max(len(rows), 1), BLOCK):
            yield read_pairs(self.index.take(rows[start : start + BLOCK]))


def index_items(*, items: Path, groups: Path, **tables: Path) -> EvaluationItems:
    """Join what is known of the items and choose what can be evaluated.

    Items are evaluated by what they have. Where an item needs both, and the test split has none
    with both, items with the one modality that most test items have are taken instead.

    Args:
        items: Parquet with item_id, image, text and class_path.
        groups: Parquet with item_id and what items share.
        tables: What else `join_features` reads.

    Returns:
        The items; any split may be empty.

    Raises:
        InputError: A file is missing or damaged.
    """
    index = join_features(items=items, groups=groups, **tables)
    # By the test items: with a modality that training items alone have, nothing is measured.
    modalities, warnings = _choose(index.only("test"))
    if "fused" in modalities:
        index = index.usable()
    else:
        has_N = index.has_image if modalities == ("image",) else index.has_text
        index = index.take(np.flatnonzero(has_N))
    known = read_table(items, ["item_id", "image", "text", "class_path"])
    known = known.merge(read_table(groups, ["item_id", "group", "near_text"]), validate="1:1")
    table = known.set_index("item_id").loc[index.item_ids].reset_index()
    table["split"], table["label"] = index.split_N, index.label_N
    # A catalogue's own text is a column too.
    names = ["same_text" if name == "text" else name for name in SHARED]
    table[names] = index.shared_N3
    classes_tested = table.loc[table["split"] == "test", "label"].nunique()
    if 0 < classes_tested < FEWEST_CLASSES:
        warnings.append(
            "all test items are of one class, so every result is a hit: retrieval by class and "
            "hierarchical precision are left out; give the test split items of more classes"
        )
    return EvaluationItems(table, modalities, tuple(warnings), index)


def _choose(test: FeatureIndex) -> tuple[tuple[str, ...], list[str]]:
    """Modalities to evaluate, and what to say of it."""
    has_image, has_text = test.has_image, test.has_text
    apart = has_image.any() and has_text.any() and test.require == "any"
    if apart or (has_image & has_text).any():
        return ("image", "text", "fused"), []
    if not has_image.any() and not has_text.any():
        reason = "no item is in the test split" if not len(test) else "no test item has a feature"
        return ("image", "text", "fused"), [
            f"{reason}: only the catalogue is counted; see split.test, split.min_class_size and "
            "the list of failed pictures"
        ]
    kept, lost = ("image", "text") if has_image.sum() > has_text.sum() else ("text", "image")
    return (kept,), [
        f"no test item with a {kept} feature has a usable {lost}: only the {kept} is evaluated; "
        f"see the list of rejected rows and of failed pictures"
    ]
