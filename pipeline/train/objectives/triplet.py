"""Triplet: class-level triplets with semi-hard mining, both modalities (HUSE section 4)."""

from collections.abc import Callable, Mapping

from torch import Tensor

from pipeline.model.towers import TowersOutput
from pipeline.train.losses.triplet import triplet_loss
from pipeline.train.objectives.class_part import class_part
from pipeline.train.objectives.objective import Objective


class TripletObjective(Objective):
    """Triplets alone."""

    classifier = "probe"

    def parts(
        self, output: TowersOutput, label_B: Tensor
    ) -> Mapping[str, tuple[float, Callable[[], Tensor]]]:
        """See `Objective.parts`; `class` trains the probe and nothing else."""
        margin = self._settings.triplet_margin
        return {
            "class": (1.0, lambda: class_part(output, label_B, self._membership_KL)),
            "triplet": (
                1.0,
                lambda: triplet_loss(output.image_BD, output.text_BD, label_B, margin=margin),
            ),
        }
