"""Fit the fusion of a trained model on validation items, in bounded memory.

Shape letters: M items chosen, B items of a block, K classes, L labels.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from pipeline.core.errors import InputError
from pipeline.core.sample import draw_sample
from pipeline.features.pairs import Pairs
from pipeline.model.fusion import Fusion, fit_fusion
from pipeline.model.towers import Towers, TowersOutput

MAX_LOGITS = 2**25
"""Logits per modality that the fusion is fitted on: 128 MiB. Up to so many all items are used; of
more a sample, as a temperature and a weight follow closely from some thousand items."""
FEWEST_ITEMS = 256
"""That a fusion is fitted on, however many classes there are."""
LARGEST_BLOCK = 8192
"""Items per forward pass: bounds the hidden activations."""
BLOCK_LOGITS = 2**22
"""Logits per modality and forward pass: 16 MiB."""


def calibrate(
    model: Towers,
    val: Pairs,
    membership_KL: Tensor | None = None,
    *,
    seed: int,
    max_logits: int = MAX_LOGITS,
) -> Fusion:
    """Fit temperatures and the fusion weight; the model is left in evaluation mode.

    Args:
        model: The trained model.
        val: Validation items.
        membership_KL: [K, L] 1 where the items of a class have a label; None where the classifier
            gives an item exactly one class.
        seed: Which items are used where all would give too many logits.
        max_logits: What is too many, per modality.

    Raises:
        InputError: An embedding is not finite.
    """
    size = max(FEWEST_ITEMS, max_logits // model.config.num_classes)
    chosen_M = draw_sample(len(val), size, seed)
    # From blocks of outputs to one output of all; without concatenation a column is None.
    blocks = (output._replace(present=None) for _, output in outputs(model, val, chosen_M))
    columns = zip(*blocks, strict=True)
    output = TowersOutput._make(None if c[0] is None else torch.cat(c) for c in columns)
    if val.present is not None:
        output = output._replace(present=val.present.take(torch.from_numpy(chosen_M)))
    label_M = val.label_N[torch.from_numpy(chosen_M)]
    target = label_M if membership_KL is None else membership_KL[label_M]
    return fit_fusion(output, target, model.config.fusion)


def outputs(
    model: Towers, pairs: Pairs, position_M: np.ndarray
) -> Iterator[tuple[Tensor, TowersOutput]]:
    """Pass the items at M positions through a model, as many at a time as their logits allow.

    Yields:
        [B] int64 positions of the items of a block, and what the model says of them.

    Raises:
        InputError: An embedding is not finite, as after a step that was too long.
    """
    model.eval()
    # Of a catalogue with many classes the logits are what fills the memory.
    size = min(LARGEST_BLOCK, max(1, BLOCK_LOGITS // model.config.num_classes))
    for position_B in torch.from_numpy(position_M).split(size):
        present = None if pairs.present is None else pairs.present.take(position_B)
        with torch.inference_mode():
            output = model(pairs.image_NI[position_B], pairs.text_NT[position_B], present=present)
        if not (output.image_BD.isfinite().all() and output.text_BD.isfinite().all()):
            raise InputError(
                "train: validation embeddings are not finite; lower train.lr (the features are "
                "finite: they are checked when they are stored)"
            )
        yield position_B, output
