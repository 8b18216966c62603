"""Cross-modal embedding loss, the rival "CME" (without its classification loss).

Shape letters: B items of a batch, D embedding, R images of a block.
"""

import torch
from torch import Tensor

from pipeline.train.losses.gap import gap_loss
from pipeline.train.ops.row_blocks import mean_over_row_blocks


def cme_loss(image_BD: Tensor, text_BD: Tensor, *, margin: float) -> Tensor:
    """Matched image-text pairs pulled together, all unmatched ones pushed apart.

        L = mean_n d(image_n, text_n) + mean over m != n of max(0, margin - d(image_m, text_n))

    This is the cosine loss of Salvador et al. 2017 (recipe retrieval) over all pairs of the batch;
    their margin, 0.1, is a cosine: it is a distance of 0.9 here. Each kind of pair has a mean of
    its own, since a batch has B matched and B^2 - B unmatched pairs. Unmatched pairs of one class
    are pushed apart like all others. The classification loss with a classifier per modality that
    completes CME is `classification_loss`.

    Args:
        image_BD: [B, D] float, rows of unit norm.
        text_BD: [B, D] float, rows of unit norm; row n belongs to image n.
        margin: Distance from which an unmatched pair is left alone.

    Returns:
        Scalar >= 0; with one item, its distance alone.

    Raises:
        ValueError: If the shapes differ.
    """
    pulled = gap_loss(image_BD, text_BD)
    item_count = len(image_BD)

    def block_terms(distance_RB: Tensor, position_R: Tensor) -> tuple[Tensor, Tensor]:
        unmatched_RB = position_R[:, None] != torch.arange(item_count, device=position_R.device)
        too_near_RB = (margin - distance_RB).clamp(min=0)
        return too_near_RB[unmatched_RB].sum(), unmatched_RB.sum()

    images, texts = slice(0, item_count), slice(item_count, 2 * item_count)
    both = torch.cat([image_BD, text_BD])
    return pulled + mean_over_row_blocks(both, [(images, texts)], block_terms)
