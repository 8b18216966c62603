"""Fit the late fusion of a trained model on validation items."""

import torch

from pipeline.dataset.pairs import Pairs
from pipeline.models.fusion import Fusion, fit_fusion
from pipeline.models.huse import Huse


def calibrate(model: Huse, val: Pairs) -> Fusion:
    """Fit temperatures and the fusion weight.

    Args:
        model: The trained model; left in evaluation mode.
        val: Validation items.

    Returns:
        The fitted fusion.
    """
    model.eval()
    with torch.inference_mode():
        output = model(val.image_NI, val.text_NT)
    return fit_fusion(output, val.label_N)
