"""Training and validation items, in memory where they fit and streamed where they do not."""

import numpy as np
import torch

from pipeline.dataset.index import FeatureIndex
from pipeline.dataset.pairs import Pairs, read_pairs
from pipeline.dataset.resident import ResidentItems
from pipeline.dataset.streamed import StreamedItems
from pipeline.dataset.train_items import TrainItems

MAX_VAL_ITEMS = 32768
"""Validation items of a streamed catalogue; they lie in memory beside the buffer."""


def load_train_and_val(
    index: FeatureIndex, device: torch.device, max_bytes: int
) -> tuple[TrainItems, Pairs]:
    """Load what a training run needs.

    Args:
        index: All items.
        device: Where training runs.
        max_bytes: Training features larger than this are streamed; then at most `MAX_VAL_ITEMS`
            validation items, evenly spread, are used.

    Returns:
        Training items, and validation items on the device.

    Raises:
        InputError: Not even two row groups fit.
    """
    train, val = index.only("train"), index.only("val")
    if train.nbytes <= max_bytes:
        return ResidentItems(train, device), read_pairs(val).to(device)
    if len(val) > MAX_VAL_ITEMS:
        val = val.take(np.linspace(0, len(val) - 1, MAX_VAL_ITEMS).astype(np.int64))
    return StreamedItems(train, device, max_bytes), read_pairs(val).to(device)
