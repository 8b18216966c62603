"""Which rows of the two feature tables belong to which item; no vector is read.

An item may lack a feature: its text row is then -1, as is the row of its clean view, and both
readers give a row of zeros for it.

Shape letters: N items, R image rows (all views of all items).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core.errors import InputError
from pipeline.core.table import read_metadata, read_table
from pipeline.features.classes import class_indices, read_classes
from pipeline.features.present import Present, present_of
from pipeline.features.shared import REQUIRE, SHARED
from pipeline.features.text_rows import TextRows
from pipeline.features.vector_rows import VectorRows

TRAINED_WITH = ("train", "val")
"""Splits that training is nothing without; there may be no test items."""


@dataclass(frozen=True)
class FeatureIndex:
    """Items, and where their features are: about 120 bytes per item, whatever the lengths."""

    item_ids: np.ndarray
    """[N] strings."""
    label_N: np.ndarray
    """[N] int64 class indices."""
    split_N: np.ndarray
    """[N] strings: train, val or test."""
    view_row_R: np.ndarray
    """[R] int64 rows of the image table: all views of item 0, view 0 first, then of item 1, ..."""
    num_views_N: np.ndarray
    """[N] int64; 0 for an item without the clean view, whatever other views there are."""
    text_row_N: np.ndarray
    """[N] int64 rows of the text table; -1 for an item that is not there."""
    shared_N3: np.ndarray
    """[N, 3] int64: numbers of the product, the picture and the text; see `SHARED`."""
    image: VectorRows
    text: TextRows
    require: str = "both"
    """Whether an item that lacks a feature is one: `both` (no) or `any`."""

    def __len__(self) -> int:
        return len(self.item_ids)

    @property
    def first_view(self) -> np.ndarray:
        """[N] int64: where each item's views begin in `view_row_R`."""
        return np.cumsum(self.num_views_N) - self.num_views_N

    @property
    def has_image(self) -> np.ndarray:
        """[N] bool."""
        return self.num_views_N > 0

    @property
    def has_text(self) -> np.ndarray:
        """[N] bool."""
        return self.text_row_N >= 0

    @property
    def present(self) -> Present | None:
        """What each item has; None where all have both."""
        return present_of(self.has_image, self.has_text)

    def usable(self) -> FeatureIndex:
        """Select the items that have the features that `require` asks for."""
        if self.require == "any":
            return self.take(np.flatnonzero(self.has_image | self.has_text))
        return self.complete()

    def complete(self) -> FeatureIndex:
        """Select the items that have both features."""
        return self.take(np.flatnonzero(self.has_image & self.has_text))

    @property
    def clean_row(self) -> np.ndarray:
        """[N] int64 rows of view 0 in the image table; -1 for an item without."""
        row_N = np.full(len(self), -1)
        row_N[self.has_image] = self.view_row_R[self.first_view[self.has_image]]
        return row_N

    @property
    def nbytes(self) -> int:
        """Bytes of all features, all views, in memory."""
        image = 4 * len(self.view_row_R) * self.image.dimension
        return image + self.text.nbytes(len(self), self.text.words(self.text_row_N))

    def only(self, split: str) -> FeatureIndex:
        """Select the items of one split, in the same order."""
        return self.take(np.flatnonzero(self.split_N == split))

    def take(self, position_M: np.ndarray) -> FeatureIndex:
        """Select items at [M] int64 positions, in that order, with all their views."""
        num_views_M = self.num_views_N[position_M]
        offset_M = self.first_view[position_M] - (np.cumsum(num_views_M) - num_views_M)
        view = np.repeat(offset_M, num_views_M) + np.arange(num_views_M.sum())
        return FeatureIndex(
            self.item_ids[position_M],
            self.label_N[position_M],
            self.split_N[position_M],
            self.view_row_R[view],
            num_views_M,
            self.text_row_N[position_M],
            self.shared_N3[position_M],
            self.image,
            self.text,
            self.require,
        )


def join_features(
    *,
    items: Path,
    splits: Path,
    groups: Path,
    classes: Path,
    image_features: Path,
    text_features: Path,
) -> FeatureIndex:
    """Join items, splits, groups and both feature tables by item id, in the order of the items.

    Args:
        items: Parquet with item_id and class_path.
        splits: Parquet with item_id and split, and REQUIRE in its metadata.
        groups: Parquet with item_id, product, picture and text.
        classes: The class list that gives the labels.
        image_features: Parquet with item_id, view (0 = clean) and vector; an item whose picture
            could not be used is missing there.
        text_features: Parquet with item_id and the columns of one or more blocks.

    Returns:
        All items.

    Raises:
        InputError: A file is missing or damaged.
    """
    table = read_table(items, ["item_id", "class_path"])
    table = table.merge(read_table(splits, ["item_id", "split"]), validate="one_to_one")
    table = table.merge(read_table(groups, ["item_id", *SHARED]), validate="one_to_one")
    text_ids = pd.Index(read_table(text_features, ["item_id"])["item_id"])
    views = _views(image_features, table["item_id"])
    return FeatureIndex(
        table["item_id"].to_numpy(dtype=object),
        class_indices(read_classes(classes), table["class_path"]),
        table["split"].to_numpy(dtype=object),
        views["row"].to_numpy(dtype=np.int64),
        np.bincount(views["item"], minlength=len(table)),
        text_ids.get_indexer(table["item_id"]),
        table[list(SHARED)].to_numpy(dtype=np.int64, copy=True),
        VectorRows(image_features, ["vector"]),
        TextRows(text_features),
        read_metadata(splits).get(REQUIRE, "both"),
    )


def index_features(*, image_features: Path, **tables: Path) -> FeatureIndex:
    """Join as `join_features` does, and keep the items that have the features they need.

    Raises:
        InputError: A file is missing or damaged, or train or val is left without items that have
            both features: the two modalities are brought together by these.
    """
    index = join_features(image_features=image_features, **tables).usable()
    complete = index.complete()
    if missing := [name for name in TRAINED_WITH if name not in complete.split_N]:
        raise InputError(
            f"{image_features}: no item of split {', '.join(missing)} has both an image and a text "
            "feature, which training needs; see the lists of incomplete items and of failed "
            "pictures"
        )
    return index


def _views(image_features: Path, item_id: pd.Series) -> pd.DataFrame:
    """Row and item, as a position in `item_id`, of the views of items that have a clean one."""
    views = read_table(image_features, ["item_id", "view"])
    views["row"] = np.arange(len(views))
    views["item"] = pd.Index(item_id).get_indexer(views["item_id"])
    views = views[views["item"] >= 0]
    views = views[views["item"].isin(views.loc[views["view"] == 0, "item"])]
    return views.sort_values(["item", "view"], kind="stable")


def read_groups(groups: Path, item_ids: np.ndarray) -> np.ndarray:
    """Read which items are never divided: [M] int64 numbers of the groups of M items.

    Args:
        groups: Parquet with item_id and group.
        item_ids: [M] ids, in any order.
    """
    group = read_table(groups, ["item_id", "group"]).set_index("item_id")["group"]
    return group.loc[item_ids].to_numpy(dtype=np.int64)
