"""TF-IDF-weighted mean of word vectors (notebook A), as one sparse x dense product.

Shape letters: N texts, V words, E word vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
from pydantic import Field

from pipeline.core.errors import InputError
from pipeline.core.section import Section
from pipeline.encoders.counts import count_words, distinct_words, smoothed_idf
from pipeline.encoders.word_tensors import load_words, save_words

if TYPE_CHECKING:
    from pipeline.encoders.word_vectors import WordVectors


class Settings(Section):
    """TF-IDF-weighted mean of word vectors."""

    vectors: Annotated[str, Field(min_length=1)]
    """Word vectors, as source/name."""


class Encoder:
    """Fitted encoder: vector(text) = sum_w tfidf(w) glove(w) / sum_w tfidf(w).

    The sums run over the distinct known words of the text, tf = count / length, and
    idf(w) = ln((1 + n) / (1 + df(w))) + 1 over the n training texts (scikit-learn's smoothed
    definition). The length cancels, so counts serve as tf. Notebook A visits a repeated word once
    per occurrence and so weights it by count squared; we do not.

    Known are the catalogue's words alone, in all its splits: the rest of the vectors' source would
    make the model hundreds of megabytes larger for words that its tower never saw.
    """

    fingerprint: str | None = None

    def __init__(self, words: Sequence[str], vectors_VE: np.ndarray, idf_V: np.ndarray) -> None:
        """Take V words, sorted, and their [V, E] vectors and [V] idf, both float32."""
        self.words = list(words)
        self.vectors_VE = vectors_VE
        self.idf_V = idf_V
        self._column_of = {word: column for column, word in enumerate(self.words)}

    @classmethod
    def fit(
        cls, texts: Sequence[str], train_texts: Sequence[str], settings: Settings, cache: Path
    ) -> Self:
        """Look the words of all texts up and fit the inverse document frequencies.

        Args:
            texts: All clean texts.
            train_texts: Those of the training split.
            settings: Names the word vectors.
            cache: Folder for the catalogue's words of a large file of vectors.

        Raises:
            InputError: The vectors cannot be read, or no word of the catalogue has one.
        """
        from pipeline.encoders.word_vectors import load_word_vectors

        vectors = load_word_vectors(settings.vectors, distinct_words(texts), cache)
        return cls.from_vectors(train_texts, vectors)

    @classmethod
    def from_vectors(cls, train_texts: Sequence[str], vectors: WordVectors) -> Self:
        """Fit the inverse document frequencies.

        Args:
            train_texts: Clean texts of the training split alone.
            vectors: Word vectors of all words that shall be known; those that no training text
                has get the largest idf.

        Raises:
            InputError: There is not a single word.
        """
        words = sorted(vectors.index_to_key)
        if not words:
            raise InputError(
                "text.glove.vectors: no word of the catalogue has a vector; are the texts in the "
                "language of the vectors, and does clean_text.recipe suit them?"
            )
        column_of = {word: column for column, word in enumerate(words)}
        return cls(words, vectors[words], smoothed_idf(count_words(train_texts, column_of)))

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Encode N clean texts as [N, E]; a text without a known word is a row of zeros."""
        weight_NV = count_words(texts, self._column_of)
        weight_NV.data *= self.idf_V[weight_NV.indices]
        total_N1 = np.asarray(weight_NV.sum(axis=1), dtype=np.float32).reshape(-1, 1)
        summed_NE = np.asarray(weight_NV @ self.vectors_VE, dtype=np.float32)
        return np.divide(summed_NE, total_N1, out=np.zeros_like(summed_NE), where=total_N1 > 0)

    def save(self, folder: Path) -> None:
        """Write `encoder.safetensors` (vectors, idf) and `words.json`."""
        save_words(folder, self.words, {"vectors": self.vectors_VE, "idf": self.idf_V})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; `InputError` where a file is missing or damaged."""
        words, tensors = load_words(folder, ["vectors", "idf"])
        return cls(words, tensors["vectors"], tensors["idf"])
