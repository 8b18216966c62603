"""Features of items in memory, the image and the text aligned row by row.

Shape letters: N items, I image feature, T text feature.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pipeline.features.joined import FeatureIndex
from pipeline.features.present import Present
from pipeline.features.text_input import StoredText, take


@dataclass(frozen=True)
class Pairs:
    """Features of the clean view and of the text, and labels, of some items.

    Zeros stand for a feature that an item lacks; `present` says which those are.
    """

    item_ids: np.ndarray
    """[N] strings."""
    image_NI: Tensor
    """[N, I] float32, as stored."""
    text_NT: StoredText
    """[N, T] float32, as stored; blocks of several encoders side by side, perhaps a sparse one."""
    label_N: Tensor
    """[N] int64 class indices."""
    split_N: np.ndarray
    """[N] strings: train, val or test."""
    shared_N3: Tensor | None = None
    """[N, 3] int64: numbers of the product, the picture and the text, which items share where these
    are the same; None where no retrieval is measured on these items."""
    present: Present | None = None
    """What each item has; None where all have both."""

    def __len__(self) -> int:
        return len(self.item_ids)

    def only(self, split: str) -> Pairs:
        """Select the items of one split, in the same order."""
        return self.take(np.flatnonzero(self.split_N == split))

    def take(self, position_M: np.ndarray) -> Pairs:
        """Select items at [M] int64 positions, in that order."""
        index = torch.from_numpy(position_M)
        return Pairs(
            self.item_ids[position_M],
            self.image_NI[index],
            take(self.text_NT, index),
            self.label_N[index],
            self.split_N[position_M],
            None if self.shared_N3 is None else self.shared_N3[index],
            None if self.present is None else self.present.take(index),
        )

    def to(self, device: torch.device) -> Pairs:
        """Move all but ids and splits to a device."""
        return Pairs(
            self.item_ids,
            self.image_NI.to(device),
            self.text_NT.to(device),
            self.label_N.to(device),
            self.split_N,
            None if self.shared_N3 is None else self.shared_N3.to(device),
            None if self.present is None else self.present.to(device),
        )


def read_pairs(index: FeatureIndex) -> Pairs:
    """Read the features of N indexed items, the clean view (0) of each picture."""
    return Pairs(
        index.item_ids,
        torch.from_numpy(index.image.read(index.clean_row)),
        index.text.read(index.text_row_N),
        torch.from_numpy(index.label_N),
        index.split_N,
        torch.from_numpy(index.shared_N3),
        index.present,
    )
