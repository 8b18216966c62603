"""How embedding and words are put together in a search by text.

Shape letters: N items, C candidates.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

Mode = Literal["hybrid", "dense", "words"]
"""What a text is searched by: embedding and words, the embedding alone, or words alone."""
DEPTH = 200
"""Candidates by embedding, and as many by words, that are put in order."""


def keep_inside(score_N: np.ndarray | None, inside_N: np.ndarray | None) -> np.ndarray | None:
    """Take the words of items outside a filter away.

    Args:
        score_N: [N] scores by words, or None where no item has any.
        inside_N: [N] bool, or None where nothing is filtered.

    Returns:
        [N] scores, zero outside; None where all of them would be.
    """
    if score_N is None or inside_N is None:
        return score_N
    score_N = np.where(inside_N, score_N, np.float32(0))
    return score_N if score_N.any() else None


def candidates_by_words(score_N: np.ndarray, number: int) -> np.ndarray:
    """Choose the items with the best scores, of which at least one is above zero.

    Returns:
        [N] bool: `number` items with a score, fewer if fewer have one, and all that tie with the
        last of them.
    """
    number = min(number, len(score_N))
    return (score_N >= np.partition(score_N, -number)[-number]) & (score_N > 0)


def in_order(
    row_C: np.ndarray, similarity_C: np.ndarray, score_N: np.ndarray, mode: Mode, weight: float
) -> np.ndarray:
    """Put candidates in order, the best first; those that tie in the order of the catalogue.

    Args:
        row_C: [C] places of items among the N; one may be there twice.
        similarity_C: [C] cosine similarity of each to the query.
        score_N: [N] scores by words, in [0, 1].
        mode: `words`: by words, and by similarity where they tie; `hybrid`: by the weighted sum.
        weight: What a score of 1 adds to the similarity.

    Returns:
        Numbers of candidates, up to C, every item once.
    """
    first_C = np.unique(row_C, return_index=True)[1]
    similarity_C, score_C = similarity_C[first_C], score_N[row_C[first_C]]
    keys = (-similarity_C, -score_C) if mode == "words" else (-similarity_C - weight * score_C,)
    return first_C[np.lexsort(keys)]
