"""TF-IDF-weighted mean of word vectors (notebook A), as one sparse x dense product.

Shape letters: N texts, V words, E word vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors
from safetensors import SafetensorError
from safetensors.numpy import load_file, save
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer

from pipeline.errors import InputError
from pipeline.files.atomic import atomic_path
from pipeline.files.json_file import read_json, write_json


@dataclass(frozen=True)
class WeightedGlove:
    """Fitted encoder: vector(text) = sum_w tfidf(w) glove(w) / sum_w tfidf(w).

    The sums run over the distinct known words of the text, tf = count / length, and
    idf(w) = ln((1 + n) / (1 + df(w))) + 1 over the n training texts (scikit-learn's smoothed
    definition). The length cancels, so counts serve as tf. Notebook A visits a repeated word once
    per occurrence and so weights it by count squared; we do not.
    """

    words: list[str]
    """V known words of the catalogue, sorted."""
    vectors_VE: np.ndarray
    """[V, E] float32 word vectors."""
    idf_V: np.ndarray
    """[V] float32 inverse document frequencies of the training texts."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Encode clean texts.

        Args:
            texts: N clean texts, words separated by spaces.

        Returns:
            [N, E] float32; a text without a known word is a row of zeros.
        """
        tfidf_NV = _counts(texts, self.words).multiply(self.idf_V).tocsr()
        total_N = np.asarray(tfidf_NV.sum(axis=1), dtype=np.float32).ravel()
        summed_NE = np.asarray(tfidf_NV @ self.vectors_VE, dtype=np.float32)
        return np.divide(
            summed_NE,
            total_N[:, None],
            out=np.zeros_like(summed_NE),
            where=total_N[:, None] > 0,
        )

    def save(self, folder: Path) -> None:
        """Write `glove.safetensors` (vectors, idf) and `glove.json` (words).

        Args:
            folder: Created if missing.

        Raises:
            InputError: The folder cannot be written to.
        """
        with atomic_path(folder / "glove.safetensors") as temporary:
            temporary.write_bytes(save({"vectors": self.vectors_VE, "idf": self.idf_V}))
        write_json(folder / "glove.json", {"words": self.words})

    @classmethod
    def load(cls, folder: Path) -> WeightedGlove:
        """Read what `save` wrote.

        Args:
            folder: The folder given to `save`.

        Returns:
            The encoder.

        Raises:
            InputError: A file is missing or damaged.
        """
        description = read_json(folder / "glove.json")
        try:
            tensors = load_file(folder / "glove.safetensors")
            return cls(description["words"], tensors["vectors"], tensors["idf"])
        except (OSError, SafetensorError, KeyError) as error:
            raise InputError(f"{folder}: not a readable text encoder ({error})") from error


def distinct_words(texts: Sequence[str]) -> set[str]:
    """All words of some clean texts.

    Args:
        texts: Clean texts, words separated by spaces.

    Returns:
        The distinct words.
    """
    return {word for text in texts for word in text.split()}


def fit_weighted_glove(train_texts: Sequence[str], vectors: KeyedVectors) -> WeightedGlove:
    """Fit the inverse document frequencies.

    Args:
        train_texts: Clean texts of the training split alone.
        vectors: Word vectors of all words that shall be known; those that no training text has
            get the largest idf, as scikit-learn's smoothing gives a word with df = 0.

    Returns:
        The fitted encoder.

    Raises:
        InputError: No word of the catalogue has a vector.
    """
    words = sorted(vectors.index_to_key)
    if not words:
        raise InputError(
            "text.glove.vectors: no word of the catalogue has a vector; are the texts in the "
            "language of the vectors, and does clean_text.recipe suit them?"
        )
    occurs_NV = _counts(train_texts, words) > 0
    document_frequency_V = np.asarray(occurs_NV.sum(axis=0)).ravel()
    idf_V = np.log((1 + len(train_texts)) / (1 + document_frequency_V)) + 1
    return WeightedGlove(words, vectors[words], idf_V.astype(np.float32))


def _counts(texts: Sequence[str], words: list[str]) -> csr_matrix:
    vocabulary = {word: column for column, word in enumerate(words)}
    vectorizer = CountVectorizer(vocabulary=vocabulary, analyzer=str.split, dtype=np.float32)
    return vectorizer.transform(texts)
