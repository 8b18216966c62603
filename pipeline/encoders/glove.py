"""TF-IDF-weighted mean of word vectors (notebook A), as one sparse x dense product.

Shape letters: N texts, V words, E word vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from pipeline.core.errors import InputError
from pipeline.encoders.counts import count_words, distinct_words, smoothed_idf
from pipeline.encoders.saved_words import load_words, save_words

if TYPE_CHECKING:
    from gensim.models import KeyedVectors


class GloveEncoder:
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
        """Take what was fitted.

        Args:
            words: V known words, sorted.
            vectors_VE: [V, E] float32 word vectors.
            idf_V: [V] float32 inverse document frequencies of the training texts.
        """
        self.words = list(words)
        self.vectors_VE = vectors_VE
        self.idf_V = idf_V
        self._column_of = {word: column for column, word in enumerate(self.words)}

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        train_texts: Sequence[str],
        *,
        vectors: str,
        cache: Path | None = None,
    ) -> Self:
        """Load the word vectors of a catalogue and fit the inverse document frequencies.

        Args:
            texts: All clean texts: their words are looked up.
            train_texts: Those of the training split.
            vectors: Word vectors by `source/name`.
            cache: Folder for the catalogue's words of a large file of vectors.

        Returns:
            The fitted encoder.

        Raises:
            InputError: The vectors cannot be read, or no word of the catalogue has one.
        """
        # A fitted encoder needs no gensim, which takes a second to import.
        from pipeline.encoders.word_vectors import load_word_vectors

        return cls.from_vectors(
            train_texts, load_word_vectors(vectors, distinct_words(texts), cache)
        )

    @classmethod
    def from_vectors(cls, train_texts: Sequence[str], vectors: KeyedVectors) -> Self:
        """Fit the inverse document frequencies.

        Args:
            train_texts: Clean texts of the training split alone.
            vectors: Word vectors of all words that shall be known; those that no training text
                has get the largest idf.

        Returns:
            The fitted encoder.

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
        """Encode clean texts.

        Args:
            texts: N clean texts, words separated by spaces.

        Returns:
            [N, E] float32; a text without a known word is a row of zeros.
        """
        weight_NV = count_words(texts, self._column_of)
        weight_NV.data *= self.idf_V[weight_NV.indices]
        total_N1 = np.asarray(weight_NV.sum(axis=1), dtype=np.float32).reshape(-1, 1)
        summed_NE = np.asarray(weight_NV @ self.vectors_VE, dtype=np.float32)
        return np.divide(summed_NE, total_N1, out=np.zeros_like(summed_NE), where=total_N1 > 0)

    def save(self, folder: Path) -> None:
        """Write `encoder.safetensors` (vectors, idf) and `words.json`.

        Args:
            folder: Created if missing.

        Raises:
            InputError: The folder cannot be written to.
        """
        save_words(folder, self.words, {"vectors": self.vectors_VE, "idf": self.idf_V})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Args:
            folder: The folder given to `save`.

        Returns:
            The encoder.

        Raises:
            InputError: A file is missing or damaged.
        """
        words, tensors = load_words(folder, ["vectors", "idf"])
        return cls(words, tensors["vectors"], tensors["idf"])
