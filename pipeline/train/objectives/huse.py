"""HUSE: L = alpha * L_class + beta * L_graph + gamma * L_gap (HUSE eq. 5)."""

import torch
from torch import Tensor

from pipeline.model.towers import TowersOutput
from pipeline.train.losses.gap import gap_loss
from pipeline.train.losses.graph_loss import graph_loss
from pipeline.train.objective import Objective, Parts


class HuseObjective(Objective):
    """Classification, semantic graph and cross-modal gap."""

    classifier = "shared"

    def parts(self, output: TowersOutput, label_B: Tensor) -> Parts:
        """See `Objective.parts`; the graph loss runs over both modalities' 2B embeddings."""
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
        }
