"""Queries with their results, chosen for people to look at.

Shape letters: N test items.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from pipeline.evaluate.directions import DIRECTIONS, Direction

RESULTS = 8
"""Results shown per query."""


class Card(NamedTuple):
    """One item as it is shown."""

    image: str
    """Path relative to the picture folder."""
    text: str
    class_path: str
    shown: str
    """Modality that was compared: image, text or fused."""
    hit: bool
    """Whether it is of the query's class; True for the query itself."""


class GalleryRow(NamedTuple):
    """A query and what was found for it."""

    direction: str
    kind: str
    """`random` or `worst`."""
    query: Card
    results: list[Card]


def choose_random(top_level_N: np.ndarray, count: int, seed: int) -> list[int]:
    """Draw test items to show, of as many parts of the catalogue as there are.

    Returns:
        Distinct item indices, at most N of them: first one of each class, then seconds.
    """
    order_N = np.random.default_rng(seed).permutation(len(top_level_N))
    return _classes_in_turn(order_N, top_level_N)[:count]


def choose_worst(direction: Direction, label_N: np.ndarray, count: int) -> list[int]:
    """Choose the queries that find their class worst.

    Returns:
        Queries by rising average precision, of different classes as far as there are; those
        without a candidate of their class are passed over, and so are perfect ones.
    """
    precision_N = direction.average_precision_N
    order_N = np.argsort(precision_N, kind="stable")
    # One without a candidate could not be right, and one with AP 1 is not wrong.
    fair_N = (direction.candidates_N > 0) & (precision_N < 1)
    return _classes_in_turn(order_N[fair_N[order_N]], label_N)[:count]


def gallery_rows(
    name: str,
    kind: str,
    direction: Direction,
    queries: list[int],
    items: pd.DataFrame,
) -> list[GalleryRow]:
    """Look up what was found for the chosen queries, positions among the N `items`; a row each."""

    def card(item: int, shown: str, label: int) -> Card:
        row = items.iloc[item]
        return Card(row["image"], row["text"], row["class_path"], shown, row["label"] == label)

    query_shown, result_shown = DIRECTIONS[name]
    rows = []
    for query in queries:
        label = items["label"].iloc[query]
        found = [item for item in direction.found_NR[query, :RESULTS].tolist() if item >= 0]
        rows.append(
            GalleryRow(
                name,
                kind,
                card(query, query_shown, label),
                [card(item, result_shown, label) for item in found],
            )
        )
    return rows


def _classes_in_turn(order_N: np.ndarray, label_N: np.ndarray) -> list[int]:
    """Reorder items: the first of each class, then the second of each, ..."""
    turn = pd.Series(label_N[order_N]).groupby(label_N[order_N]).cumcount().to_numpy()
    return order_N[np.argsort(turn, kind="stable")].tolist()
