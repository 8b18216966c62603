"""Pairs of classes that are taken for each other, with examples, and each class's neighbours.

Shape letters: N test items, K classes.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from pipeline.evaluation.gallery import Card
from pipeline.metrics.classification import confusion_counts

EXAMPLES = 4
NEIGHBOURS = 3
MOST_CLASSES = 100
"""Classes whose neighbours are listed."""


class Confusion(NamedTuple):
    """Items of one class that were given another."""

    actual: str
    predicted: str
    items: int
    """How many."""
    share: float
    """Of the class's test items."""
    examples: list[Card]


class Neighbourhood(NamedTuple):
    """A class with the classes nearest to it in the semantic graph."""

    name: str
    neighbours: list[tuple[str, float]]
    """Name and distance."""


def largest_confusions(
    label_N: np.ndarray,
    predicted_N: np.ndarray,
    names: Sequence[str],
    items: pd.DataFrame,
    count: int,
) -> list[Confusion]:
    """List the confusions with most items.

    Args:
        label_N: [N] true classes.
        predicted_N: [N] predicted classes.
        names: K class names.
        items: N rows with image, text and class_path.
        count: How many confusions.

    Returns:
        By falling number of items.
    """
    wrong = [pair for pair in confusion_counts(label_N, predicted_N) if pair.true != pair.predicted]
    found = []
    for pair in wrong[:count]:
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


def nearest_classes(
    adjacency_KK: np.ndarray, names: Sequence[str], item_K: np.ndarray
) -> list[Neighbourhood]:
    """List the classes nearest to each class in the graph.

    Args:
        adjacency_KK: [K, K] distances.
        names: K class names.
        item_K: [K] items of each class; the MOST_CLASSES classes with most are listed.

    Returns:
        In the order of the classes.
    """
    listed = np.sort(np.argsort(-item_K, kind="stable")[:MOST_CLASSES])
    found = []
    for label in listed:
        order_K = np.argsort(adjacency_KK[label], kind="stable")
        others = order_K[order_K != label][:NEIGHBOURS]
        pairs = [(names[other], float(adjacency_KK[label, other])) for other in others]
        found.append(Neighbourhood(names[label], pairs))
    return found
