"""Instance-level and class-level triplet losses with adaptive averaging, the rival "AdaMine".

Shape letters: B items of a batch, D embedding, R anchors of a block, P items of the
largest class.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.train.losses.class_members import class_members
from pipeline.train.ops.row_blocks import mean_over_row_blocks


def adamine_loss(
    image_BD: Tensor, text_BD: Tensor, label_B: Tensor, *, margin: float, class_weight: float
) -> Tensor:
    """Two cross-modal triplet losses, each averaged over the triplets that violate the margin.

        L = L_instance + class_weight * L_class
        L_x = sum over triplets (a, p, n) of v(a, p, n) / number of triplets with v > 0
        v(a, p, n) = max(0, margin + d(a, p) - d(a, n))

    after Carvalho et al. 2018 (AdaMine), who use margin 0.3 and class_weight 0.3. Every image is an
    anchor among the texts and every text among the images. Instance level: p is the anchor's own
    partner, n any other item's. Class level: p is another item of the anchor's class, n an item of
    another class; all triplets count where the original draws some.

    Args:
        image_BD: [B, D] float, rows of unit norm.
        text_BD: [B, D] float, rows of unit norm; row n belongs to image n.
        label_B: [B] int64, the class of item n.
        margin: How much farther than the positive the negative is asked to be, a distance.
        class_weight: Weight of the class-level loss (lambda in the original).

    Returns:
        Scalar >= 0; a loss without violating triplets adds 0.
    """
    item_count = len(image_BD)
    images, texts = slice(0, item_count), slice(item_count, 2 * item_count)
    both = torch.cat([image_BD, text_BD])
    sides = [(images, texts), (texts, images)]
    instance_loss = mean_over_row_blocks(both, sides, _instance_terms(margin))
    class_loss = mean_over_row_blocks(both, sides, _class_terms(label_B, margin))
    return instance_loss + class_weight * class_loss


def _instance_terms(margin: float) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    def block_terms(distance_RB: Tensor, position_R: Tensor) -> tuple[Tensor, Tensor]:
        own_R1 = distance_RB.gather(1, position_R[:, None])
        violation_RB = (margin + own_R1 - distance_RB).clamp(min=0)
        item_B = torch.arange(distance_RB.shape[1], device=distance_RB.device)
        violation_RB = violation_RB * (position_R[:, None] != item_B)
        return violation_RB.sum(), (violation_RB > 0).sum()

    return block_terms


def _class_terms(
    label_B: Tensor, margin: float
) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    member_BP, is_member_BP = class_members(label_B)

    def block_terms(distance_RB: Tensor, position_R: Tensor) -> tuple[Tensor, Tensor]:
        same_class_RB = label_B[position_R][:, None] == label_B
        negative_RB, _ = distance_RB.masked_fill(same_class_RB, math.inf).sort(dim=1)
        member_RP = member_BP[position_R]
        limit_RP = margin + distance_RB.gather(1, member_RP)
        # With the negatives sorted, the c nearest are those that come before a positive's limit,
        # and their violations add up to c * limit minus a running sum.
        violated_RP = torch.searchsorted(negative_RB.detach(), limit_RP.detach())
        running_sum_RB = functional.pad(negative_RB.cumsum(dim=1), (1, 0))
        nearest_sum_RP = running_sum_RB.gather(1, violated_RP)
        violation_RP = violated_RP * limit_RP - nearest_sum_RP
        is_positive_RP = is_member_BP[position_R] & (member_RP != position_R[:, None])
        return violation_RP[is_positive_RP].sum(), violated_RP[is_positive_RP].sum()

    return block_terms
