"""Fit the fusion of a trained model on validation items."""

import torch
from torch import Tensor

from pipeline.dataset.pairs import Pairs
from pipeline.models.fusion import Fusion, fit_fusion
from pipeline.models.huse import Huse


def calibrate(model: Huse, val: Pairs, membership_KL: Tensor | None = None) -> Fusion:
    """Fit temperatures and the fusion weight.

    Args:
        model: The trained model; left in evaluation mode.
        val: Validation items.
        membership_KL: [K, L] 1 where the items of a class have a label; None where the classifier
            gives an item exactly one class.

    Returns:
        The fitted fusion.
    """
    model.eval()
    with torch.inference_mode():
        output = model(val.image_NI, val.text_NT)
    target = val.label_N if membership_KL is None else membership_KL[val.label_N]
    return fit_fusion(output, target, model.config.fusion)
