"""CME: matched pairs together, unmatched apart, a classifier per modality (HUSE section 4)."""

from collections.abc import Callable, Mapping

from torch import Tensor

from pipeline.model.towers import TowersOutput
from pipeline.train.losses.cme import cme_loss
from pipeline.train.objectives.class_part import class_part
from pipeline.train.objectives.objective import Objective


class CmeObjective(Objective):
    """Cross-modal pairs and a classifier per modality."""

    classifier = "per_modality"

    def parts(
        self, output: TowersOutput, label_B: Tensor
    ) -> Mapping[str, tuple[float, Callable[[], Tensor]]]:
        """See `Objective.parts`."""
        s = self._settings
        return {
            "class": (s.alpha, lambda: class_part(output, label_B, self._membership_KL)),
            "pairs": (
                s.beta,
                lambda: cme_loss(output.image_BD, output.text_BD, margin=s.cme_margin),
            ),
        }
