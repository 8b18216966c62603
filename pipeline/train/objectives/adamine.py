"""AdaMine: instance-level and class-level triplets, averaged over violations (HUSE section 4)."""

from collections.abc import Callable, Mapping

from torch import Tensor

from pipeline.model.towers import TowersOutput
from pipeline.train.losses.adamine import adamine_loss
from pipeline.train.objectives.class_part import class_part
from pipeline.train.objectives.objective import Objective


class AdaMineObjective(Objective):
    """Both levels of triplets."""

    classifier = "probe"

    def parts(
        self, output: TowersOutput, label_B: Tensor
    ) -> Mapping[str, tuple[float, Callable[[], Tensor]]]:
        """See `Objective.parts`; `class` trains the probe and nothing else."""
        s = self._settings
        return {
            "class": (1.0, lambda: class_part(output, label_B, self._membership_KL)),
            "triplets": (
                1.0,
                lambda: adamine_loss(
                    output.image_BD,
                    output.text_BD,
                    label_B,
                    margin=s.adamine_margin,
                    class_weight=s.adamine_class_weight,
                ),
            ),
        }
