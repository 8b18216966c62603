"""Which items are evaluated, by which modalities, and what is said when not all can be.

Shape letters: N items, M test items, B items of a block, I image feature, T text feature.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from pipeline.core.json_file import read_json
from pipeline.core.table import read_table
from pipeline.features.classes import class_indices
from pipeline.features.pairs import Pairs
from pipeline.features.text_rows import TextRows
from pipeline.features.vector_rows import VectorRows

BLOCK = 8192
"""Items whose features are in memory at a time."""
FEWEST_CLASSES = 2


@dataclass(frozen=True)
class EvaluationItems:
    """Items in the catalogue's order, with the places of their features."""

    table: pd.DataFrame
    """N rows: item_id, image, text, class_path, split, label, image_row, text_row; group, which the
    bootstrap draws together; and product, picture, same_text and near_text, numbers that items
    share where these are the same."""
    modalities: tuple[str, ...]
    """Which of image, text and fused these items have."""
    warnings: tuple[str, ...]
    """What cannot be measured and why, one line each."""
    image: VectorRows
    text: TextRows

    @property
    def test(self) -> np.ndarray:
        """[M] int64 positions of the test items."""
        return np.flatnonzero(self.table["split"] == "test")

    def shared_with(self, column: str, splits: list[str]) -> np.ndarray:
        """Find the test items that share something with items of other splits.

        Args:
            column: Of `table`, such as group or near_text.
            splits: Those that count.

        Returns:
            [M] bool.
        """
        seen = self.table.loc[self.table["split"].isin(splits), column]
        return self.table[column].iloc[self.test].isin(set(seen)).to_numpy()

    def blocks(self, rows: np.ndarray) -> Iterator[Pairs]:
        """Read features block by block; zeros stand for a modality that is not evaluated.

        Args:
            rows: Positions of items; at least one block is given, if only an empty one.

        Yields:
            Up to BLOCK items.
        """
        for start in range(0, max(len(rows), 1), BLOCK):
            part = self.table.iloc[rows[start : start + BLOCK]]
            yield Pairs(
                part["item_id"].to_numpy(dtype=object),
                _read(self.image, part["image_row"].to_numpy()),
                self.text.read(part["text_row"].to_numpy()),
                torch.from_numpy(part["label"].to_numpy(dtype=np.int64, copy=True)),
                part["split"].to_numpy(dtype=object),
            )


def index_items(
    *,
    items: Path,
    splits: Path,
    groups: Path,
    classes: Path,
    image_features: Path,
    text_features: Path,
) -> EvaluationItems:
    """Join what is known of the items and choose what can be evaluated.

    Items with both an image and a text feature are taken. If the test split has none, items with
    the one modality that most test items have are taken instead.

    Args:
        items: Parquet with item_id, image, text and class_path.
        splits: Parquet with item_id and split.
        groups: Parquet with item_id and what items share.
        classes: The class list that gives the labels.
        image_features: Parquet with item_id, view and vector; view 0 is read.
        text_features: Parquet with item_id and the columns of one or more blocks.

    Returns:
        The items; any split may be empty.

    Raises:
        InputError: A file is missing or damaged.
    """
    table = read_table(items, ["item_id", "image", "text", "class_path"])
    table = table.merge(read_table(splits, ["item_id", "split"]), validate="one_to_one")
    shared = read_table(groups, ["item_id", "group", "product", "picture", "text", "near_text"])
    shared = shared.rename(columns={"text": "same_text"})
    table = table.merge(shared, validate="one_to_one")
    table["label"] = class_indices(read_json(classes), table["class_path"])
    views = read_table(image_features, ["item_id", "view"])
    clean = np.flatnonzero(views["view"] == 0)
    table["image_row"] = _rows(views["item_id"].iloc[clean], clean, table["item_id"])
    text_ids = read_table(text_features, ["item_id"])["item_id"]
    table["text_row"] = _rows(text_ids, np.arange(len(text_ids)), table["item_id"])
    modalities, warnings = _choose(table)
    needed = [f"{name}_row" for name in modalities if name != "fused"]
    table = table[(table[needed] >= 0).all(axis=1)].reset_index(drop=True)
    classes_tested = table.loc[table["split"] == "test", "label"].nunique()
    if 0 < classes_tested < FEWEST_CLASSES:
        warnings.append(
            "all test items are of one class, so every result is a hit: retrieval by class and "
            "hierarchical precision are left out; give the test split items of more classes"
        )
    return EvaluationItems(
        table,
        modalities,
        tuple(warnings),
        VectorRows(image_features, ["vector"]),
        TextRows(text_features),
    )


def _choose(table: pd.DataFrame) -> tuple[tuple[str, ...], list[str]]:
    """Modalities to evaluate, and what to say of it."""
    test = table[table["split"] == "test"]
    has_image, has_text = test["image_row"] >= 0, test["text_row"] >= 0
    if (has_image & has_text).any():
        return ("image", "text", "fused"), []
    if not has_image.any() and not has_text.any():
        reason = "no item is in the test split" if test.empty else "no test item has a feature"
        return ("image", "text", "fused"), [
            f"{reason}: only the catalogue is counted; see split.test, split.min_class_size and "
            "the list of failed pictures"
        ]
    kept, lost = ("image", "text") if has_image.sum() > has_text.sum() else ("text", "image")
    return (kept,), [
        f"no test item with a {kept} feature has a usable {lost}: only the {kept} is evaluated; "
        f"see the list of rejected rows and of failed pictures"
    ]


def _rows(item_id: pd.Series, row: np.ndarray, wanted: pd.Series) -> np.ndarray:
    """Row of every wanted item in a feature table, -1 where it has none."""
    position = pd.Index(item_id).get_indexer(wanted)
    return np.where(position >= 0, row[position] if len(row) else -1, -1)


def _read(vectors: VectorRows, row_B: np.ndarray) -> torch.Tensor:
    vector_BF = np.zeros((len(row_B), vectors.dimension), dtype=np.float32)
    has_B = row_B >= 0
    if has_B.any():
        vector_BF[has_B] = vectors.read(row_B[has_B])
    return torch.from_numpy(vector_BF)
