"""Queries with their results, chosen for people to look at.

Shape letters: N test items, R results of a query.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from torch import Tensor

from pipeline.evaluation.directions import DIRECTIONS, Direction

RESULTS = 8
"""Results shown per query."""


class Card(NamedTuple):
    """One item as it is shown."""

    image: str
    """Path relative to the picture folder."""
    text: str
    class_path: str
    shown: str
    """Modality that was compared: image or text."""
    hit: bool
    """Whether it is of the query's class; True for the query itself."""


class GalleryRow(NamedTuple):
    """A query and what was found for it."""

    direction: str
    query: Card
    results: list[Card]


def choose_queries(num_items: int, count: int, seed: int) -> np.ndarray:
    """Draw test items to show.

    Args:
        num_items: N.
        count: How many.
        seed: Another seed shows others.

    Returns:
        Distinct item indices, at most N of them.
    """
    generator = np.random.default_rng(seed)
    return generator.permutation(num_items)[:count]


def gallery_rows(
    directions: dict[str, Direction],
    queries: np.ndarray,
    label_N: Tensor,
    items: pd.DataFrame,
) -> list[GalleryRow]:
    """Look up what was found for the chosen queries.

    Args:
        directions: Results by direction.
        queries: Test item indices.
        label_N: [N] classes.
        items: N rows with image, text and class_path.

    Returns:
        A row per direction and query, direction by direction.
    """

    def card(item: int, shown: str, label: int) -> Card:
        row = items.iloc[item]
        hit = int(label_N[item]) == label
        return Card(row["image"], row["text"], row["class_path"], shown, hit)

    rows = []
    for name, direction in directions.items():
        query_shown, result_shown = DIRECTIONS[name]
        for query in queries.tolist():
            label = int(label_N[query])
            found = [item for item in direction.index_NR[query, :RESULTS].tolist() if item >= 0]
            rows.append(
                GalleryRow(
                    name,
                    card(query, query_shown, label),
                    [card(item, result_shown, label) for item in found],
                )
            )
    return rows
