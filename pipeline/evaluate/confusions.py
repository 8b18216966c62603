"""Pairs of classes that are taken for each other, with examples.

Shape letters: N test items, K classes.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from pipeline.evaluate.gallery import Card
from pipeline.metrics.classification import confusion_counts

EXAMPLES = 4


class Confusion(NamedTuple):
    """Items of one class that were given another."""

    actual: str
    predicted: str
    items: int
    """How many."""
    share: float
    """Of the class's test items."""
    examples: list[Card]


def largest_confusions(
    label_N: np.ndarray,
    predicted_N: np.ndarray,
    names: Sequence[str],
    items: pd.DataFrame,
    count: int,
) -> list[Confusion]:
    """List the `count` confusions with most of the N test items, which `items` describes."""
    wrong = [pair for pair in confusion_counts(label_N, predicted_N) if pair.true != pair.predicted]
    found = []
    for pair in wrong[:count]:
        # Of few pairs, so that a pass over all items for each is cheap.
        rows = np.flatnonzero((label_N == pair.true) & (predicted_N == pair.predicted))
        shown = items.iloc[rows[:EXAMPLES]]
        found.append(
            Confusion(
                names[pair.true],
                names[pair.predicted],
                pair.items,
                pair.items / int((label_N == pair.true).sum()),
                [
                    Card(image, text, class_path, "fused", hit=False)
                    for image, text, class_path in zip(
                        shown["image"], shown["text"], shown["class_path"], strict=True
                    )
                ],
            )
        )
    return found
