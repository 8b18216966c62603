"""DeViSE*: image and text embeddings mapped onto the class-name embedding (HUSE section 4)."""

from collections.abc import Callable, Mapping

from torch import Tensor

from pipeline.model.towers import TowersOutput
from pipeline.train.losses.projection import projection_loss
from pipeline.train.objectives.class_part import class_part
from pipeline.train.objectives.objective import Objective


class DeviseObjective(Objective):
    """Projection alone; the embedding has psi's dimension, as its fixed space requires."""

    classifier = "probe"
    projects = True

    def parts(
        self, output: TowersOutput, label_B: Tensor
    ) -> Mapping[str, tuple[float, Callable[[], Tensor]]]:
        """See `Objective.parts`; `class` trains the probe and nothing else."""
        return {
            "class": (1.0, lambda: class_part(output, label_B, self._membership_KL)),
            "projection": (
                1.0,
                lambda: projection_loss(
                    output.image_BD, output.text_BD, self._class_embedding_KD, label_B
                ),
            ),
        }
