"""The HUSE objective: L = alpha * L_class + beta * L_graph + gamma * L_gap (HUSE eq. 5).

Shape letters: B batch, K classes.
"""

import torch
from torch import Tensor

from pipeline.losses.classification import classification_loss
from pipeline.losses.combined import weighted_total
from pipeline.losses.gap import gap_loss
from pipeline.losses.graph import Relaxation, graph_loss
from pipeline.models.huse import HuseOutput


class HuseObjective:
    """Classification, semantic graph and cross-modal gap, weighted."""

    def __init__(
        self,
        adjacency_KK: Tensor,
        *,
        alpha: float,
        beta: float,
        gamma: float,
        margin: float,
        relaxation: Relaxation,
    ) -> None:
        """Keep the constants.

        Args:
            adjacency_KK: [K, K] semantic graph, on the device of the embeddings.
            alpha: Weight of L_class.
            beta: Weight of L_graph.
            gamma: Weight of L_gap.
            margin: zeta of L_graph.
            relaxation: Which pairs L_graph keeps.
        """
        self._adjacency_KK = adjacency_KK
        self._weights = {"class": alpha, "graph": beta, "gap": gamma}
        self._margin = margin
        self._relaxation = relaxation

    def __call__(self, output: HuseOutput, label_B: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the loss of a batch.

        Args:
            output: Forward pass of the batch.
            label_B: [B] int64 classes.

        Returns:
            The scalar to minimise, and the unweighted parts by name, detached.
        """
        return weighted_total(
            {
                "class": lambda: classification_loss(
                    output.image_logits_BK, output.text_logits_BK, label_B
                ),
                "graph": lambda: graph_loss(
                    torch.cat([output.image_BD, output.text_BD]),
                    torch.cat([label_B, label_B]),
                    self._adjacency_KK,
                    margin=self._margin,
                    relaxation=self._relaxation,
                ),
                "gap": lambda: gap_loss(output.image_BD, output.text_BD),
            },
            self._weights,
        )
