"""HUSE-P: HUSE with L_graph replaced by the projection loss (HUSE section 4)."""

from collections.abc import Callable, Mapping

from torch import Tensor

from pipeline.model.towers import TowersOutput
from pipeline.train.losses.gap import gap_loss
from pipeline.train.losses.projection import projection_loss
from pipeline.train.objectives.class_part import class_part
from pipeline.train.objectives.objective import Objective


class HuseProjectionObjective(Objective):
    """Classification, projection onto class-name embeddings, cross-modal gap.

    The embedding has psi's dimension, as a projection onto psi's fixed space requires.
    """

    classifier = "shared"
    projects = True

    def parts(
        self, output: TowersOutput, label_B: Tensor
    ) -> Mapping[str, tuple[float, Callable[[], Tensor]]]:
        """See `Objective.parts`."""
        s = self._settings
        image_BD, text_BD = output.image_BD, output.text_BD
        return {
            "class": (s.alpha, lambda: class_part(output, label_B, self._membership_KL)),
            "projection": (
                s.beta,
                lambda: projection_loss(image_BD, text_BD, self._class_embedding_KD, label_B),
            ),
            "gap": (s.gamma, lambda: gap_loss(image_BD, text_BD)),
        }
