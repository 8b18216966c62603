"""CME: matched pairs together, unmatched apart, a classifier per modality (HUSE section 4).

Shape letters: B items of a batch, D embedding.
"""

import torch
from torch import Tensor

from pipeline.core.distance import pairwise
from pipeline.core.section import Section
from pipeline.model.towers import TowersOutput
from pipeline.train.loss_settings import Margin
from pipeline.train.losses.gap import gap_loss
from pipeline.train.losses.present import of_pairs
from pipeline.train.objective import Objective, Parts


class Settings(Section):
    """Section `loss.cme`."""

    margin: Margin
    """Distance from which an unmatched pair is left alone."""


class CmeObjective(Objective):
    """Cross-modal pairs and a classifier per modality."""

    classifier = "per_modality"
    own: Settings

    def parts(self, output: TowersOutput, label_B: Tensor) -> Parts:
        """See `Objective.parts`."""
        margin = self.own.margin

        def pairs(image_BD: Tensor, text_BD: Tensor, _: Tensor) -> Tensor:
            return cme_loss(image_BD, text_BD, margin=margin)

        return {
            "class": (self.loss.alpha, lambda: self.class_loss(output, label_B)),
            "pairs": (self.loss.beta, lambda: of_pairs(pairs, output, label_B)),
        }


def cme_loss(image_BD: Tensor, text_BD: Tensor, *, margin: float) -> Tensor:
    """Matched image-text pairs pulled together, all unmatched ones pushed apart.

        L = mean_n d(image_n, text_n) + mean over m != n of max(0, margin - d(image_m, text_n))

    This is the cosine loss of Salvador et al. 2017 (recipe retrieval) over all pairs of the batch;
    their margin, 0.1, is a cosine: it is a distance of 0.9 here. Each kind of pair has a mean of
    its own, since a batch has B matched and B^2 - B unmatched pairs. Unmatched pairs of one class
    are pushed apart like all others.

    Args:
        image_BD: [B, D] float, rows of unit norm.
        text_BD: [B, D] float, rows of unit norm; row n belongs to image n.
        margin: Distance from which an unmatched pair is left alone.

    Returns:
        Scalar >= 0; with one item, its distance alone.

    Raises:
        ValueError: If the shapes differ.
    """
    matched = gap_loss(image_BD, text_BD)
    unmatched_BB = ~torch.eye(len(image_BD), dtype=torch.bool, device=image_BD.device)
    too_near_BB = (margin - pairwise(image_BD, text_BD)).clamp(min=0)
    return matched + too_near_BB[unmatched_BB].sum() / unmatched_BB.sum().clamp(min=1)
