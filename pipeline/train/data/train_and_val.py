"""Training and validation items, in memory where they fit and streamed where they do not."""

import torch

from pipeline.core.sample import draw_sample
from pipeline.features.joined import FeatureIndex
from pipeline.features.pairs import Pairs, read_pairs
from pipeline.train.data.resident import ResidentItems
from pipeline.train.data.streamed import StreamedItems
from pipeline.train.data.train_items import TrainItems

MAX_VAL_ITEMS = 32768
"""Validation items that are read, a random sample of more; they lie in memory beside those of
training, and their number hardly matters: the fused accuracy's standard error is 0.003 at most."""


def load_train_and_val(
    index: FeatureIndex, device: torch.device, max_bytes: int, seed: int
) -> tuple[TrainItems, Pairs]:
    """Load what a training run needs; training features larger than `max_bytes` are streamed.

    The seed says which validation items are read where there are more than `MAX_VAL_ITEMS`.

    Raises:
        InputError: Not even two row groups fit.
    """
    train, val = index.only("train"), index.only("val")
    val = val.take(draw_sample(len(val), MAX_VAL_ITEMS, seed))
    if train.nbytes <= max_bytes:
        return ResidentItems(train, device), read_pairs(val).to(device)
    return StreamedItems(train, device, max_bytes), read_pairs(val).to(device)
