"""Items that have both an image and a text feature, aligned row by row, in memory.

Shape letters: N items, I image feature, T text feature.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipeline.features.joined import FeatureIndex, index_features
from pipeline.features.text_input import TextInput


@dataclass(frozen=True)
class Pairs:
    """Aligned features of the clean view and labels of some items."""

    item_ids: np.ndarray
    """[N] strings."""
    image_NI: Tensor
    """[N, I] float32, as stored."""
    text_NT: TextInput
    """[N, T] float32, as stored; blocks of several encoders side by side, perhaps a sparse one."""
    label_N: Tensor
    """[N] int64 class indices."""
    split_N: np.ndarray
    """[N] strings: train, val or test."""
    shared_N3: Tensor | None = None
    """[N, 3] int64: numbers of the product, the picture and the text, which items share where these
    are the same; None where no retrieval is measured on these items."""

    def __len__(self) -> int:
        return len(self.item_ids)

    def only(self, split: str) -> Pairs:
        """Select the items of one split.

        Args:
            split: train, val or test.

        Returns:
            Its items in the same order.
        """
        return self.take(np.flatnonzero(self.split_N == split))

    def take(self, position_M: np.ndarray) -> Pairs:
        """Select items.

        Args:
            position_M: [M] int64 positions among the N items.

        Returns:
            These items in this order.
        """
        index = torch.from_numpy(position_M)
        return Pairs(
            self.item_ids[position_M],
            self.image_NI[index],
            self.text_NT[index],
            self.label_N[index],
            self.split_N[position_M],
            None if self.shared_N3 is None else self.shared_N3[index],
        )

    def to(self, device: torch.device) -> Pairs:
        """Move all but ids and splits to a device.

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
            None if self.shared_N3 is None else self.shared_N3.to(device),
        )


def read_pairs(index: FeatureIndex) -> Pairs:
    """Read the features of indexed items, the clean view (0) of each picture.

    Args:
        index: N items.

    Returns:
        The same items in the same order.
    """
    return Pairs(
        index.item_ids,
        torch.from_numpy(index.image.read(index.clean_row)),
        index.text.read(index.text_row_N),
        torch.from_numpy(index.label_N),
        index.split_N,
        torch.from_numpy(index.shared_N3),
    )


def load_pairs(
    *,
    items: Path,
    splits: Path,
    groups: Path,
    classes: Path,
    image_features: Path,
    text_features: Path,
) -> Pairs:
    """Join items, splits, groups and both feature tables by item id, in the order of the items.

    Args:
        items: Parquet with item_id and class_path.
        splits: Parquet with item_id and split.
        groups: Parquet with item_id, product, picture and text.
        classes: The class list that gives the labels.
        image_features: Parquet with item_id, view and vector; view 0 is read. An item whose
            picture could not be used is missing there and left out here.
        text_features: Parquet with item_id and the columns of one or more blocks.

    Returns:
        The items that have both modalities.

    Raises:
        InputError: A file is missing or damaged, or train or val is left without items.
    """
    return read_pairs(
        index_features(
            items=items,
            splits=splits,
            groups=groups,
            classes=classes,
            image_features=image_features,
            text_features=text_features,
        )
    )
