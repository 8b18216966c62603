"""Items that have both an image and a text feature, aligned row by row.

Shape letters: N items, I image feature, T text feature.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pipeline.catalog.classes import class_indices
from pipeline.errors import InputError
from pipeline.files.json_file import read_json
from pipeline.files.table import open_parquet, read_table
from pipeline.files.vectors import read_vectors

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Pairs:
    """Aligned features and labels of some items."""

    item_ids: np.ndarray
    """[N] strings."""
    image_NI: Tensor
    """[N, I] float32, as stored."""
    text_NT: Tensor
    """[N, T] float32, as stored; blocks of several encoders side by side."""
    label_N: Tensor
    """[N] int64 class indices."""
    split_N: np.ndarray
    """[N] strings: train, val or test."""

    def __len__(self) -> int:
        return len(self.item_ids)

    def only(self, split: str) -> Pairs:
        """Select the items of one split.

        Args:
            split: train, val or test.

        Returns:
            Its items in the same order.
        """
        rows = np.flatnonzero(self.split_N == split)
        index = torch.from_numpy(rows)
        return Pairs(
            self.item_ids[rows],
            self.image_NI[index],
            self.text_NT[index],
            self.label_N[index],
            self.split_N[rows],
        )

    def to(self, device: torch.device) -> Pairs:
        """Move the features and labels to a device.

        Args:
            device: Where to.

        Returns:
            The same items there.
        """
        return Pairs(
            self.item_ids,
            self.image_NI.to(device),
            self.text_NT.to(device),
            self.label_N.to(device),
            self.split_N,
        )


def load_pairs(
    *, items: Path, splits: Path, classes: Path, image_features: Path, text_features: Path
) -> Pairs:
    """Join items, splits and both feature tables by item id, in the order of the items.

    Args:
        items: Parquet with item_id and class_path.
        splits: Parquet with item_id and split.
        classes: The class list that gives the labels.
        image_features: Parquet with item_id and vector; an item whose picture could not be used
            is missing there and left out here.
        text_features: Parquet with item_id and one vector column per text encoder.

    Returns:
        The items that have both modalities.

    Raises:
        InputError: A file is missing or damaged, or a split is left without items.
    """
    table = read_table(items, ["item_id", "class_path"])
    table = table.merge(read_table(splits, ["item_id", "split"]), validate="one_to_one")
    table["label"] = class_indices(read_json(classes), table["class_path"])
    image_row, image_NI = _read_column(image_features, "vector")
    encoders = [
        name for name in open_parquet(text_features, []).schema_arrow.names if name != "item_id"
    ]
    blocks = [_read_column(text_features, encoder) for encoder in encoders]
    text_row = blocks[0][0]
    table = table[table["item_id"].isin(image_row.index) & table["item_id"].isin(text_row.index)]
    missing = [name for name in SPLITS if name not in set(table["split"])]
    if missing:
        raise InputError(
            f"{image_features}: no item of split {', '.join(missing)} has both an image and a text "
            "feature; see the list of failed pictures beside it"
        )
    text_rows = text_row[table["item_id"]].to_numpy()
    text_NT = np.concatenate([matrix[text_rows] for _, matrix in blocks], axis=1)
    return Pairs(
        table["item_id"].to_numpy(dtype=object),
        torch.from_numpy(image_NI[image_row[table["item_id"]].to_numpy()].astype(np.float32)),
        torch.from_numpy(text_NT.astype(np.float32)),
        torch.from_numpy(table["label"].to_numpy(dtype=np.int64, copy=True)),
        table["split"].to_numpy(dtype=object),
    )


def _read_column(path: Path, column: str) -> tuple[pd.Series, np.ndarray]:
    """Row number by item id, and the vectors."""
    item_ids, vector_NF = read_vectors(path, column)
    return pd.Series(np.arange(len(item_ids)), index=item_ids), vector_NF
