"""Texts as tokens, and batches of them that a network takes.

Shape letters: M texts, L tokens of a text or of the longest, B batch, E features.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np


class Tokens(NamedTuple):
    """A text as a tokenizer cuts it."""

    number_L: np.ndarray
    """[L] int64."""
    special_L: np.ndarray
    """[L] bool: [CLS], [SEP] and their like."""


class Padding(NamedTuple):
    """How the shorter texts of a batch are filled up."""

    number: int = 0
    """Of the token that is put there."""
    left: bool = False
    """Whether in front of the text."""
    length: int | None = None
    """To how many tokens; None: to the longest of the batch."""


class TokenBatch(NamedTuple):
    """What a network is given."""

    token_BL: np.ndarray
    """[B, L] int64 numbers."""
    mask_BL: np.ndarray
    """[B, L] int64: 1 for tokens of the text, 0 for those that fill it up."""
    counted_BL: np.ndarray
    """[B, L] int64: 1 for tokens that count in a mean over the text."""


def run_in_batches(
    tokens: Sequence[Tokens],
    batch_size: int,
    padding: Padding,
    run: Callable[[TokenBatch], np.ndarray],
    dimension: int,
    *,
    count_special: bool = True,
) -> np.ndarray:
    """Run a network over M texts, those of about one length together: little is filled up.

    Args:
        tokens: The texts.
        batch_size: Texts per forward pass.
        padding: How they are filled up.
        run: A batch -> [B, E].
        dimension: E.
        count_special: Whether special tokens count in a mean.

    Returns:
        [M, E] float32.
    """
    vector_ME = np.zeros((len(tokens), dimension), dtype=np.float32)
    by_length = sorted(range(len(tokens)), key=lambda row: -len(tokens[row].number_L))
    for start in range(0, len(tokens), batch_size):
        rows = by_length[start : start + batch_size]
        batch = fill_up([tokens[row] for row in rows], padding, count_special=count_special)
        vector_ME[rows] = run(batch)
    return vector_ME


def fill_up(texts: Sequence[Tokens], padding: Padding, *, count_special: bool) -> TokenBatch:
    """Bring texts to one length, of at least one token."""
    longest = padding.length or max(1, *(len(text.number_L) for text in texts))
    token_BL = np.full((len(texts), longest), padding.number, dtype=np.int64)
    mask_BL = np.zeros((len(texts), longest), dtype=np.int64)
    counted_BL = np.zeros((len(texts), longest), dtype=np.int64)
    for row, (number_L, special_L) in enumerate(texts):
        count = len(number_L)
        place = slice(longest - count, None) if padding.left else slice(count)
        token_BL[row, place] = number_L
        mask_BL[row, place] = 1
        counted_BL[row, place] = 1 if count_special else ~special_L
    return TokenBatch(token_BL, mask_BL, counted_BL)
