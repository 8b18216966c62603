"""HUSE: L = alpha * L_class + beta * L_graph + gamma * L_gap (HUSE eq. 5)."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from pipeline.model.towers import TowersOutput
from pipeline.train.losses.gap import gap_loss
from pipeline.train.losses.graph import graph_loss
from pipeline.train.objectives.class_part import class_part
from pipeline.train.objectives.objective import Objective


class HuseObjective(Objective):
    """Classification, semantic graph and cross-modal gap."""

    classifier = "shared"

    def parts(
        self, output: TowersOutput, label_B: Tensor
    ) -> Mapping[str, tuple[float, Callable[[], Tensor]]]:
        """See `Objective.parts`; the graph loss runs over both modalities' 2B embeddings."""
        s = self._settings
        return {
            "class": (s.alpha, lambda: class_part(output, label_B, self._membership_KL)),
            "graph": (
                s.beta,
                lambda: graph_loss(
                    torch.cat([output.image_BD, output.text_BD]),
                    torch.cat([label_B, label_B]),
                    self._adjacency_KK,
                    margin=s.margin,
                    relaxation=s.relaxation,
                    kernel=s.kernel,
                    precision=s.precision,
                ),
            ),
            "gap": (s.gamma, lambda: gap_loss(output.image_BD, output.text_BD)),
        }
