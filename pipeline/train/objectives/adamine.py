"""AdaMine: instance-level and class-level triplets, averaged over violations (HUSE section 4).

Shape letters: B items of a batch, D embedding, A all 2B embeddings as anchors, P items of the
largest class.
"""

import math
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.core.distance import pairwise
from pipeline.core.section import Section
from pipeline.model.towers import TowersOutput
from pipeline.train.loss_settings import Margin, Weight
from pipeline.train.losses.class_members import class_members
from pipeline.train.losses.present import of_pairs
from pipeline.train.objective import Objective, Parts


class Settings(Section):
    """Section `loss.adamine`."""

    margin: Margin
    """How much farther than a positive a negative is asked to be, on both levels."""
    class_weight: Weight
    """Weight of the class-level triplets."""


class AdaMineObjective(Objective):
    """Both levels of triplets."""

    classifier = "probe"
    own: Settings

    def parts(self, output: TowersOutput, label_B: Tensor) -> Parts:
        """See `Objective.parts`; `class` trains the probe and nothing else."""
        loss = partial(adamine_loss, **self.own.model_dump())
        return {
            "class": (1.0, lambda: self.class_loss(output, label_B)),
            "triplets": (1.0, lambda: of_pairs(loss, output, label_B)),
        }


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
    distance_BB = pairwise(image_BD, text_BD)
    distance_AB = torch.cat([distance_BB, distance_BB.T])
    item_B = torch.arange(len(label_B), device=label_B.device)
    item_A1 = torch.cat([item_B, item_B])[:, None]
    own_A1 = distance_AB.gather(1, item_A1)
    violation_AB = (margin + own_A1 - distance_AB).clamp(min=0) * (item_A1 != item_B)
    instance_loss = violation_AB.sum() / (violation_AB > 0).sum().clamp(min=1)
    return instance_loss + class_weight * _class_loss(distance_AB, item_A1, label_B, margin)


def _class_loss(distance_AB: Tensor, item_A1: Tensor, label_B: Tensor, margin: float) -> Tensor:
    same_class_AB = label_B[item_A1] == label_B
    negative_AB, _ = distance_AB.masked_fill(same_class_AB, math.inf).sort(dim=1)
    member_BP, is_member_BP = class_members(label_B)
    member_AP = member_BP[item_A1[:, 0]]
    limit_AP = margin + distance_AB.gather(1, member_AP)
    # With the negatives sorted, the c nearest are those that come before a positive's limit, and
    # their violations add up to c * limit minus a running sum.
    violated_AP = torch.searchsorted(negative_AB.detach(), limit_AP.detach())
    running_sum_AB = functional.pad(negative_AB.cumsum(dim=1), (1, 0))
    violation_AP = violated_AP * limit_AP - running_sum_AB.gather(1, violated_AP)
    is_positive_AP = is_member_BP[item_A1[:, 0]] & (member_AP != item_A1)
    count = violated_AP[is_positive_AP].sum().clamp(min=1)
    return violation_AP[is_positive_AP].sum() / count
