"""How long to train and how much to regularise, by the number of training items.

The rules were derived on eight catalogues of 700 to 13,800 training items, on their validation
splits; `docs/training.md` has the figures.
"""

import math
from typing import NamedTuple

from pipeline.model.settings import ModelSettings
from pipeline.train.settings import TrainSettings

PASSES = 20
"""Over all training items. On fashion (13,800 items) twice as many gain nothing in accuracy."""
FEWEST_STEPS = 1000
"""Of AdamW at a rate of 0.001. With dropped inputs, small catalogues do not overfit in so many:
accuracy is the same as after 500, R@K and HP@K are higher."""
MOST_STEPS = 20_000
"""What 20 passes take at 256,000 items; beyond that a step sees new items nearly always."""
VALIDATIONS = 20
"""Of a run, evenly spread."""
MOST_DROPOUT = 0.5
ITEMS_OF_MOST_DROPOUT = 5000
"""Catalogues up to this size are best with MOST_DROPOUT or more; fashion is with 0.3, which is what
falling with the root of the number of items gives there."""


class Budget(NamedTuple):
    """Steps of a run, with `auto` worked out."""

    steps: int
    validate_every: int


def budget_of(settings: TrainSettings, items: int) -> Budget:
    """Work out how many steps to train on a number of items, and how often to validate."""
    batch = min(settings.batch_size, items)
    steps = settings.steps or min(max(math.ceil(PASSES * items / batch), FEWEST_STEPS), MOST_STEPS)
    return Budget(steps, settings.validate_every or math.ceil(steps / VALIDATIONS))


def input_dropout_of(settings: ModelSettings, items: int) -> float:
    """Work out what share of the inputs to drop, for a number of training items.

    The share falls with the root of the number, from MOST_DROPOUT for small catalogues: what the
    inputs' noise is to prevent, more items prevent as well.
    """
    if settings.input_dropout is not None:
        return settings.input_dropout
    return MOST_DROPOUT * min(1.0, math.sqrt(ITEMS_OF_MOST_DROPOUT / items))
