"""Classification loss: cross-entropy over the embeddings of both modalities.

Shape letters: B items of a batch, K classes or labels.
"""

import torch
from torch import Tensor
from torch.nn import functional


def classification_loss(image_logits_BK: Tensor, text_logits_BK: Tensor, target: Tensor) -> Tensor:
    """Mean cross-entropy over the 2B embeddings of a batch (HUSE eq. 8).

        L_class = -1 / 2B * sum_n (log p_image[n, y_n] + log p_text[n, y_n])

    The logits come from one classifier in HUSE, from two in CME and HIE*. For the target see
    `cross_entropy`.
    """
    return (cross_entropy(image_logits_BK, target) + cross_entropy(text_logits_BK, target)) / 2


def cross_entropy(logits_BK: Tensor, target: Tensor) -> Tensor:
    """Mean negative log likelihood of what the items are.

        one class each    -log softmax(logits)[y]
        several labels    -sum_k log sigmoid(logits_k) for the item's labels,
                          log(1 - sigmoid(logits_k)) for all others

    Both are in nats per item, so that one weight (alpha) suits both. Notebook A applies a binary
    cross-entropy to a softmax over the batch, which is neither.

    Args:
        logits_BK: [B, K] float.
        target: [B] int64 in [0, K) where an item has one class; [B, K] float, 1 for the item's
            labels and 0 for others, where it has several.
    """
    if target.dim() == 1:
        return functional.cross_entropy(logits_BK, target)
    loss_BK = functional.binary_cross_entropy_with_logits(logits_BK, target, reduction="none")
    return loss_BK.sum(dim=1).mean()


def log_prior(count_K: Tensor, strength: float) -> Tensor:
    """What is added to logits in training, so that rare classes are not outvoted.

        strength * log((n_k + 1/2) / sum_j (n_j + 1/2))

    With strength 1 the towers learn the balanced classifier, best for the mean accuracy over
    classes (logit adjustment: Menon et al. 2021, eq. 10); with 0 the usual one, best for the mean
    over items. The half keeps classes without training items finite.

    Args:
        count_K: [K] training items of each class.
        strength: 0 to 1 or more (tau of the paper).

    Returns:
        [K] float32.
    """
    smoothed_K = count_K.float() + 0.5
    return strength * torch.log(smoothed_K / smoothed_K.sum())
