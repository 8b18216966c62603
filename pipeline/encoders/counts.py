"""Words of texts counted against a vocabulary.

Shape letters: N texts, V words, T tokens of all texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


def count_words(texts: Sequence[str], column_of: Mapping[str, int]) -> csr_matrix:
    """Count the known words of each text.

    Returns:
        [N, V] float32 counts, columns of a row in ascending order.
    """
    from scipy.sparse import csr_matrix

    # Splitting twice is faster than keeping a list per text, which sets off the garbage collector.
    length_N = np.fromiter((len(text.split()) for text in texts), dtype=np.int64, count=len(texts))
    words = " ".join(texts).split()
    column_T = np.fromiter(map(column_of.get, words, repeat(-1)), dtype=np.int32, count=len(words))
    known_T = column_T >= 0
    end_N = np.cumsum(length_N)
    known_before = np.concatenate([[0], np.cumsum(known_T)])
    pointer = np.concatenate([[0], known_before[end_N]])
    column = column_T[known_T]
    shape = (len(texts), len(column_of))
    counts_NV = csr_matrix((np.ones(len(column), dtype=np.float32), column, pointer), shape=shape)
    counts_NV.sum_duplicates()
    return counts_NV


def smoothed_idf(counts_NV: csr_matrix) -> np.ndarray:
    """Inverse document frequencies from the counts of training texts, as scikit-learn smooths them.

    Returns:
        [V] float32: ln((1 + n) / (1 + df(w))) + 1; a word that none of the n texts has counts as
        the rarest.
    """
    num_texts, num_words = counts_NV.shape
    frequency_V = np.bincount(counts_NV.indices, minlength=num_words)
    return (np.log((1 + num_texts) / (1 + frequency_V)) + 1).astype(np.float32)


def distinct_words(texts: Iterable[str]) -> set[str]:
    """All words, separated by whitespace, of some texts."""
    return set(chain.from_iterable(map(str.split, texts)))
