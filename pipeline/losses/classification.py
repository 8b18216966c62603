"""Classification loss: softmax cross-entropy over the embeddings of both modalities.

Shape letters: B items of a batch, K classes.
"""

from torch import Tensor
from torch.nn import functional


def classification_loss(image_logits_BK: Tensor, text_logits_BK: Tensor, label_B: Tensor) -> Tensor:
    """Mean softmax cross-entropy over the 2B embeddings of a batch (HUSE eq. 8).

        L_class = -1 / 2B * sum_n (log p_image[n, y_n] + log p_text[n, y_n]),  p = softmax(logits)

    Args:
        image_logits_BK: [B, K] float, the classifier's output for the image embeddings.
        text_logits_BK: [B, K] float, the same for the text embeddings; from the same classifier
            in HUSE, from one of its own in CME and HIE*.
        label_B: [B] int64 in [0, K).

    Returns:
        Scalar >= 0, in nats.
    """
    image_loss = functional.cross_entropy(image_logits_BK, label_B)
    text_loss = functional.cross_entropy(text_logits_BK, label_B)
    return (image_loss + text_loss) / 2
