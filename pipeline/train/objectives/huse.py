"""HUSE: L = alpha * L_class + beta * L_graph + gamma * L_gap (HUSE eq. 5) + delta * L_contrast."""

import torch
from torch import Tensor

from pipeline.model.towers import TowersOutput
from pipeline.train.losses.gap import gap_loss
from pipeline.train.losses.graph_loss import graph_loss
from pipeline.train.losses.path_contrast import path_contrast_loss
from pipeline.train.objective import Objective, Parts


class HuseObjective(Objective):
    """Classification, semantic graph and cross-modal gap; beyond the paper, contrast over levels.

    The graph loss compares near pairs alone (eq. 10), and so leaves the order of far classes to
    chance, for which HP@5 and HP@10 ask. The contrast orders all pairs.
    """

    classifier = "shared"

    def parts(self, output: TowersOutput, label_B: Tensor) -> Parts:
        """See `Objective.parts`; the pair losses run over both modalities' 2B embeddings."""
        return {
            "class": (self.loss.alpha, lambda: self.class_loss(output, label_B)),
            "graph": (
                self.loss.beta,
                lambda: graph_loss(
                    torch.cat([output.image_BD, output.text_BD]),
                    torch.cat([label_B, label_B]),
                    self.adjacency_KK,
                    margin=self.loss.margin,
                    relaxation=self.loss.relaxation,
                    kernel=self.kernel,
                    precision=self.loss.precision,
                ),
            ),
            "gap": (self.loss.gamma, lambda: gap_loss(output.image_BD, output.text_BD)),
            "contrast": (
                self.loss.delta,
                lambda: path_contrast_loss(
                    torch.cat([output.image_BD, output.text_BD]),
                    torch.cat([label_B, label_B]),
                    self.level_KL,
                    temperature=self.loss.temperature,
                ),
            ),
        }
