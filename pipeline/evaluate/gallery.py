"""Queries with their results, chosen for people to look at.

Shape letters: N test items, M queries.
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


def choose_random(top_level_M: np.ndarray, count: int, seed: int) -> list[int]:
    """Draw queries to show, of as many parts of the catalogue as there are.

    Returns:
        Distinct numbers of queries, at most M of them: first one of each class, then seconds.
    """
    order_M = np.random.default_rng(seed).permutation(len(top_level_M))
    return _classes_in_turn(order_M, top_level_M)[:count]


def choose_worst(direction: Direction, label_M: np.ndarray, count: int) -> list[int]:
    """Choose the queries that find their class worst.

    Returns:
        Numbers of queries by rising average precision, of different classes as far as there are;
        those without a candidate of their class are passed over, and so are perfect ones.
    """
    precision_M = direction.average_precision_M
    order_M = np.argsort(precision_M, kind="stable")
    # One without a candidate could not be right, and one with AP 1 is not wrong.
    fair_M = direction.answerable & (precision_M < 1)
    return _classes_in_turn(order_M[fair_M[order_M]], label_M)[:count]


def gallery_rows(
    name: str,
    kind: str,
    direction: Direction,
    queries: list[int],
    items: pd.DataFrame,
) -> list[GalleryRow]:
    """Look up what was found for chosen queries of a direction among the N `items`; a row each."""

    def card(item: int, shown: str, label: int) -> Card:
        row = items.iloc[item]
        return Card(row["image"], row["text"], row["class_path"], shown, row["label"] == label)

    query_shown, result_shown = DIRECTIONS[name]
    rows = []
    for query in queries:
        item = int(direction.query_M[query])
        label = items["label"].iloc[item]
        found = [other for other in direction.found_MR[query, :RESULTS].tolist() if other >= 0]
        rows.append(
            GalleryRow(
                name,
                kind,
                card(item, query_shown, label),
                [card(result, result_shown, label) for result in found],
            )
        )
    return rows


def _classes_in_turn(order_M: np.ndarray, label_M: np.ndarray) -> list[int]:
    """Reorder queries: the first of each class, then the second of each, ..."""
    turn = pd.Series(label_M[order_M]).groupby(label_M[order_M]).cumcount().to_numpy()
    return order_M[np.argsort(turn, kind="stable")].tolist()
