"""Triplet: class-level triplets with semi-hard mining, both modalities (HUSE section 4).

Shape letters: B items of a batch, D embedding, C all embeddings, P of the largest class.
"""

import math

import torch
from torch import Tensor

from pipeline.core.distance import pairwise
from pipeline.core.section import Section
from pipeline.model.towers import TowersOutput
from pipeline.train.loss_settings import Margin
from pipeline.train.losses.class_members import class_members
from pipeline.train.losses.present import embeddings
from pipeline.train.objective import Objective, Parts


class Settings(Section):
    """Section `loss.triplet`."""

    margin: Margin
    """How much farther than a positive a negative is asked to be."""


class TripletObjective(Objective):
    """Triplets alone."""

    classifier = "probe"
    own: Settings

    def parts(self, output: TowersOutput, label_B: Tensor) -> Parts:
        """See `Objective.parts`; `class` trains the probe and nothing else."""
        embedding_CD, label_C = embeddings(output, label_B)
        margin = self.own.margin
        return {
            "class": (1.0, lambda: self.class_loss(output, label_B)),
            "triplet": (1.0, lambda: triplet_loss(embedding_CD, label_C, margin=margin)),
        }


def triplet_loss(embedding_CD: Tensor, label_C: Tensor, *, margin: float) -> Tensor:
    """Mean triplet loss over all pairs of one class, each with its semi-hard negative.

        L = mean over anchors a and positives p of max(0, margin + d(a, p) - d(a, n))

    Anchors, positives and negatives are the embeddings of both modalities. p is any other
    embedding of a's class. n is, among the embeddings of other classes, the nearest one that is
    farther from a than p is (semi-hard, as in FaceNet, Schroff et al. 2015, section 3.2); where
    none is farther, it is the farthest one, so that a collapsed batch still gets a gradient.
    Pairs whose triplet already keeps the margin count as 0 in the mean.

    Args:
        embedding_CD: [C, D] float, rows of unit norm.
        label_C: [C] int64 classes.
        margin: How much farther than the positive the negative is asked to be, a distance.

    Returns:
        Scalar >= 0; 0 where the batch has no triplet.
    """
    distance_CC = pairwise(embedding_CD, embedding_CD)
    same_class_CC = label_C[:, None] == label_C
    negative_CC, _ = distance_CC.masked_fill(same_class_CC, math.inf).sort(dim=1)
    negative_count_C1 = (~same_class_CC).sum(dim=1, keepdim=True)
    member_CP, is_member_CP = class_members(label_C)
    positive_CP = distance_CC.gather(1, member_CP)
    # Sorted, the first one farther than each positive is found without forming triplets.
    first_farther_CP = torch.searchsorted(negative_CC.detach(), positive_CP.detach(), right=True)
    # A batch of one class has no negative: it keeps infinity, which leaves a loss of 0.
    chosen_CP = first_farther_CP.minimum(negative_count_C1 - 1).clamp(min=0)
    violation_CP = (margin + positive_CP - negative_CC.gather(1, chosen_CP)).clamp(min=0)
    itself_C1 = torch.arange(len(label_C), device=label_C.device)[:, None]
    is_triplet_CP = is_member_CP & (member_CP != itself_C1)
    return violation_CP[is_triplet_CP].sum() / is_triplet_CP.sum().clamp(min=1)
