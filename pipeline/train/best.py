"""Which weights of a run are kept.

Validation items are a sample, so the best of twenty validations is in part the luckiest. Weights
that fall short of it by no more than its noise are as good by all that we know, and later ones have
learnt more of what is not monitored: the learning rate ends at zero.
"""

import math
from dataclasses import dataclass

from torch import Tensor

from pipeline.model.towers import Towers
from pipeline.train.settings import TrainSettings


@dataclass(frozen=True)
class Best:
    """The weights that are kept so far."""

    step: int
    metrics: dict[str, float]
    """Of their validation."""
    state: dict[str, Tensor]
    top: float
    """The highest monitored figure so far, of these weights or of earlier ones."""


def keep_better(
    best: Best | None,
    model: Towers,
    step: int,
    metrics: dict[str, float],
    settings: TrainSettings,
    items: int,
) -> Best:
    """Choose between the weights kept so far and those just validated.

    The new ones are kept if their monitored figure is at most `train.tolerance` standard errors
    below the highest so far; the figure is a mean over the validation items, hence

        standard error = sqrt(p (1 - p) / n)

    Args:
        best: What was kept; None at the first validation.
        model: With the new weights.
        step: The step they were validated at.
        metrics: What `validate` returned.
        settings: Names the figure and the tolerance.
        items: n, validation items.
    """
    value = metrics[settings.monitor]
    top = value if best is None else max(value, best.top)
    slack = settings.tolerance * math.sqrt(max(top * (1 - top), 0.0) / items)
    # The first of equals with tolerance 0: an objective that has converged keeps the earliest.
    is_new = best is None or value > best.top or (slack > 0 and value >= top - slack)
    if best is not None and not is_new:
        return best
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    return Best(step, metrics, state, top)
