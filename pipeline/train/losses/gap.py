"""Cross-modal gap loss: an item's image and its text belong at the same point.

Shape letters: B items of a batch, D embedding.
"""

from torch import Tensor

from pipeline.core.distance import paired


def gap_loss(image_BD: Tensor, text_BD: Tensor) -> Tensor:
    """Mean cosine distance between each item's image and its own text (HUSE eq. 12).

        L_gap = 1 / B * sum_n d(image_n, text_n)

    Rows have unit norm, and row n of either belongs to item n.

    Raises:
        ValueError: If the shapes differ.
    """
    if image_BD.shape != text_BD.shape:
        raise ValueError(
            f"image {tuple(image_BD.shape)} and text {tuple(text_BD.shape)} need the same shape"
        )
    return paired(image_BD, text_BD).mean()
