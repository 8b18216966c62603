"""DeViSE*: image and text embeddings mapped onto the class-name embedding (HUSE section 4)."""

from torch import Tensor

from pipeline.model.towers import TowersOutput
from pipeline.train.losses.present import embeddings
from pipeline.train.losses.projection import projection_loss
from pipeline.train.objective import Objective, Parts


class DeviseObjective(Objective):
    """Projection alone."""

    classifier = "probe"
    projects = True

    def parts(self, output: TowersOutput, label_B: Tensor) -> Parts:
        """See `Objective.parts`; `class` trains the probe and nothing else."""
        embedding_ND, label_N = embeddings(output, label_B)
        psi_KD = self.class_embedding_KD
        return {
            "class": (1.0, lambda: self.class_loss(output, label_B)),
            "projection": (1.0, lambda: projection_loss(embedding_ND, psi_KD, label_N)),
        }
