"""HIE*: as DeViSE*, plus a classification loss per modality (HUSE section 4)."""

from collections.abc import Callable, Mapping

from torch import Tensor

from pipeline.model.towers import TowersOutput
from pipeline.train.losses.projection import projection_loss
from pipeline.train.objectives.class_part import class_part
from pipeline.train.objectives.objective import Objective


class HieObjective(Objective):
    """Classifier per modality and projection; the embedding has psi's dimension."""

    classifier = "per_modality"
    projects = True

    def parts(
        self, output: TowersOutput, label_B: Tensor
    ) -> Mapping[str, tuple[float, Callable[[], Tensor]]]:
        """See `Objective.parts`."""
        return {
            "class": (
                self._settings.alpha,
                lambda: class_part(output, label_B, self._membership_KL),
            ),
            "projection": (
                self._settings.beta,
                lambda: projection_loss(
                    output.image_BD, output.text_BD, self._class_embedding_KD, label_B
                ),
            ),
        }
