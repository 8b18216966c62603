"""The classification part that most objectives share.

Shape letters: B batch, K classes, L labels.
"""

from torch import Tensor

from pipeline.model.towers import TowersOutput
from pipeline.train.losses.classification import classification_loss, cross_entropy


def class_part(
    output: TowersOutput, label_B: Tensor, membership_KL: Tensor | None = None
) -> Tensor:
    """L_class of a batch, for two predictions that are fused and for concatenation.

    Args:
        output: Forward pass.
        label_B: [B] int64 classes.
        membership_KL: [K, L] float, 1 where the items of a class have a label; None where the
            classifier's outputs are the classes themselves.

    Returns:
        Late fusion: cross-entropy over both modalities' logits (HUSE eq. 8). Concatenation: over
        the one prediction from both (notebooks A and B).
    """
    target = label_B if membership_KL is None else membership_KL[label_B]
    if output.fused_logits_BK is not None:
        return cross_entropy(output.fused_logits_BK, target)
    return classification_loss(output.image_logits_BK, output.text_logits_BK, target)
