"""What the training loop asks of the items it trains on, wherever their features are.

Shape letters: B items of a batch, N items, I image feature, T text feature.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.features.present import Present
from pipeline.features.text_input import TextInput
from pipeline.model.towers import Towers


class Features(NamedTuple):
    """Features of some items."""

    image_BI: Tensor
    """[B, I] float32, one view per item."""
    text_BT: TextInput
    """[B, T] float32, perhaps with a sparse part."""


class TrainItems(ABC):
    """Items to draw batches from."""

    label_N: Tensor
    """[N] int64 classes, on `index_device`."""
    index_device: torch.device
    """Where indices of items are expected."""
    max_views: int
    """Views of the item that has most; 1 if there are only clean ones."""
    present: Present | None
    """What each item has, on `index_device`; None where all have both. What `fetch` gives for a
    feature that an item lacks is of no meaning."""

    def __len__(self) -> int:
        return len(self.label_N)

    @abstractmethod
    def shuffled(self, generator: torch.Generator) -> Tensor:
        """Draw the order of one pass: [N] int64 on the CPU, every item once."""

    @abstractmethod
    def fetch(self, index_B: Tensor, draw_B: Tensor | None) -> Features:
        """Take the features of a batch, to the device of training.

        Args:
            index_B: [B] int64 on `index_device`.
            draw_B: [B] float in [0, 1) on `index_device`: which view, as a share of the item's
                views; None takes the clean view.
        """

    @abstractmethod
    def standardise(self, model: Towers) -> None:
        """Fit a model's standardisation to all items' clean views and texts."""


def chosen_view(first_N: Tensor, num_views_N: Tensor, index_B: Tensor, draw_B: Tensor) -> Tensor:
    """Turn draws in [0, 1) into rows: an item's view 0 is in row `first_N`, its others follow."""
    return first_N[index_B] + (draw_B * num_views_N[index_B]).long()
