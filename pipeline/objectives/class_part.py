"""The classification part that most objectives share.

Shape letters: B batch, K classes.
"""

from torch import Tensor
from torch.nn import functional

from pipeline.losses.classification import classification_loss
from pipeline.models.huse import HuseOutput


def class_part(output: HuseOutput, label_B: Tensor) -> Tensor:
    """L_class of a batch, for late fusion and for concatenation.

    Args:
        output: Forward pass.
        label_B: [B] int64 classes.

    Returns:
        Late fusion: cross-entropy over both modalities' logits (HUSE eq. 8). Concatenation: over
        the one prediction from both (notebooks A and B).
    """
    if output.fused_logits_BK is not None:
        return functional.cross_entropy(output.fused_logits_BK, label_B)
    return classification_loss(output.image_logits_BK, output.text_logits_BK, label_B)
