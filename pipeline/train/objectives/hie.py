"""HIE*: as DeViSE*, plus a classification loss per modality (HUSE section 4)."""

from torch import Tensor

from pipeline.model.towers import TowersOutput
from pipeline.train.losses.present import embeddings
from pipeline.train.losses.projection import projection_loss
from pipeline.train.objective import Objective, Parts


class HieObjective(Objective):
    """Classifier per modality and projection."""

    classifier = "per_modality"
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
        }
