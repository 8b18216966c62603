"""HUSE-P: HUSE with L_graph replaced by the projection loss (HUSE section 4)."""

from torch import Tensor

from pipeline.model.towers import TowersOutput
from pipeline.train.losses.present import embeddings, gap_of_pairs
from pipeline.train.losses.projection import projection_loss
from pipeline.train.objective import Objective, Parts


class HuseProjectionObjective(Objective):
    """Classification, projection onto class-name embeddings, cross-modal gap."""

    classifier = "shared"
    projects = True

    def parts(self, output: TowersOutput, label_B: Tensor) -> Parts:
        """See `Objective.parts`."""
        embedding_ND, label_N = embeddings(output, label_B)
        psi_KD = self.class_embedding_KD
        return {
            "class": (self.loss.alpha, lambda: self.class_loss(output, label_B)),
            "projection": (
                self.loss.beta,
                lambda: projection_loss(embedding_ND, psi_KD, label_N),
            ),
            "gap": (self.loss.gamma, lambda: gap_of_pairs(output, label_B)),
        }
