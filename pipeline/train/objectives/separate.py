"""Separate models: one plain classifier per modality (HUSE section 4)."""

from collections.abc import Callable, Mapping

from torch import Tensor

from pipeline.model.towers import TowersOutput
from pipeline.train.objectives.class_part import class_part
from pipeline.train.objectives.objective import Objective


class SeparateObjective(Objective):
    """Nothing ties the modalities together; only the prediction is fused."""

    classifier = "per_modality"

    def parts(
        self, output: TowersOutput, label_B: Tensor
    ) -> Mapping[str, tuple[float, Callable[[], Tensor]]]:
        """See `Objective.parts`."""
        return {"class": (1.0, lambda: class_part(output, label_B, self._membership_KL))}
