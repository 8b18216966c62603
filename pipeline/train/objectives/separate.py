"""Separate models: one plain classifier per modality (HUSE section 4)."""

from torch import Tensor

from pipeline.model.towers import TowersOutput
from pipeline.train.objective import Objective, Parts


class SeparateObjective(Objective):
    """Nothing ties the modalities together; only the prediction is fused."""

    classifier = "per_modality"

    def parts(self, output: TowersOutput, label_B: Tensor) -> Parts:
        """See `Objective.parts`."""
        return {"class": (1.0, lambda: self.class_loss(output, label_B))}
