"""Class-level triplet loss with semi-hard mining, the rival "Triplet".

Shape letters: B items of a batch, D embedding, R anchors of a block, C candidates (all 2B
embeddings), P items of the largest class.
"""

import math

import torch
from torch import Tensor

from pipeline.train.losses.class_members import class_members
from pipeline.train.ops.row_blocks import mean_over_row_blocks


def triplet_loss(image_BD: Tensor, text_BD: Tensor, label_B: Tensor, *, margin: float) -> Tensor:
    """Mean triplet loss over all pairs of one class, each with its semi-hard negative.

        L = mean over anchors a and positives p of max(0, margin + d(a, p) - d(a, n))

    Anchors, positives and negatives are the 2B embeddings of both modalities. p is any other
    embedding of a's class. n is, among the embeddings of other classes, the nearest one that is
    farther from a than p is (semi-hard, as in FaceNet, Schroff et al. 2015, section 3.2); where
    none is farther, it is the farthest one, so that a collapsed batch still gets a gradient.
    Pairs whose triplet already keeps the margin count as 0 in the mean.

    Args:
        image_BD: [B, D] float, rows of unit norm.
        text_BD: [B, D] float, rows of unit norm.
        label_B: [B] int64, the class of item n.
        margin: How much farther than the positive the negative is asked to be, a distance.

    Returns:
        Scalar >= 0; 0 where the batch has no triplet.
    """
    embedding = torch.cat([image_BD, text_BD])
    label_C = torch.cat([label_B, label_B])
    member_CP, is_member_CP = class_members(label_C)

    def block_terms(distance_RC: Tensor, position_R: Tensor) -> tuple[Tensor, Tensor]:
        same_class_RC = label_C[position_R][:, None] == label_C
        negative_count_R1 = (~same_class_RC).sum(dim=1, keepdim=True)
        negative_RC, _ = distance_RC.masked_fill(same_class_RC, math.inf).sort(dim=1)
        member_RP = member_CP[position_R]
        positive_RP = distance_RC.gather(1, member_RP)
        # Sorted, the first one farther than each positive is found without forming triplets.
        first_farther_RP = torch.searchsorted(
            negative_RC.detach(), positive_RP.detach(), right=True
        )
        # A batch of one class has no negative: it keeps infinity, which leaves a loss of 0.
        chosen_RP = first_farther_RP.minimum(negative_count_R1 - 1).clamp(min=0)
        violation_RP = (margin + positive_RP - negative_RC.gather(1, chosen_RP)).clamp(min=0)
        is_triplet_RP = is_member_CP[position_R] & (member_RP != position_R[:, None])
        return violation_RP[is_triplet_RP].sum(), is_triplet_RP.sum()

    everything = slice(0, len(embedding))
    return mean_over_row_blocks(embedding, [(everything, everything)], block_terms)
