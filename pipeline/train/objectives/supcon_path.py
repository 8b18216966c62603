"""Supervised contrast over class paths: what is near shares the path, level by level."""

import torch
from torch import Tensor

from pipeline.model.towers import TowersOutput
from pipeline.train.losses.gap import gap_loss
from pipeline.train.losses.path_contrast import path_contrast
from pipeline.train.objective import Objective, Parts


class SupconPathObjective(Objective):
    """Classification, contrast and gap, without names of classes and their graph.

    After Khosla et al. 2020 (one level) and Zhang et al. 2022, Use All The Labels (every level of
    a hierarchy), over both modalities at once; see `path_contrast` for what differs from theirs.
    They train a classifier afterwards, here HUSE's is trained along.
    """

    classifier = "shared"

    def parts(self, output: TowersOutput, label_B: Tensor) -> Parts:
        """See `Objective.parts`; the contrast is the objective, so its weight is 1."""
        embedding_ND = torch.cat([output.image_BD, output.text_BD])
        label_N = torch.cat([label_B, label_B])
        temperature, world = self.loss.temperature, self.world
        return {
            "class": (self.loss.alpha, lambda: self.class_loss(output, label_B)),
            "contrast": (
                1.0,
                lambda: path_contrast(
                    embedding_ND, label_N, self.level_KL, temperature=temperature, world=world
                ),
            ),
            "gap": (self.loss.gamma, lambda: gap_loss(output.image_BD, output.text_BD)),
        }
