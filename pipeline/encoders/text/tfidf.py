"""TF-IDF of a text's words (notebook B), sparse, or dense by a truncated SVD.

Shape letters: N texts, V words, C components.
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
    from scipy.sparse import csr_matrix

SVD_SEED = 0
"""The randomised SVD starts from random vectors; its result hardly depends on them."""


class Settings(Section):
    """TF-IDF of the words."""

    min_count: Annotated[int, Field(ge=1)]
    """Training texts that a word has to be in."""
    max_words: Annotated[int, Field(ge=1)]
    """Most words of the vocabulary; those in most texts stay, of equal ones by the alphabet."""
    svd: Annotated[int, Field(ge=0)]
    """Components of a dense block; 0 for a sparse one."""


class Encoder:
    """Fitted encoder: count(w) idf(w) per known word, rows of unit norm.

    As scikit-learn's TfidfVectorizer with its defaults, for words as clean_text left them. Known
    are the words of the training texts: others would be columns that training never sees.
    """

    fingerprint: str | None = None

    def __init__(
        self, words: Sequence[str], idf_V: np.ndarray, components_VC: np.ndarray | None = None
    ) -> None:
        """Take V words, sorted, their [V] idf, and for the dense form [V, C] directions."""
        self.words = list(words)
        self.idf_V = idf_V
        self.components_VC = components_VC
        self._column_of = {word: column for column, word in enumerate(self.words)}

    @classmethod
    def fit(
        cls, texts: Sequence[str], train_texts: Sequence[str], settings: Settings, cache: Path
    ) -> Self:
        """Fit vocabulary, inverse document frequencies and components on the training texts.

        Raises:
            InputError: No word is left, or there are not more words and texts than components.
        """
        words = sorted(distinct_words(train_texts))
        counts_NV = count_words(train_texts, {word: v for v, word in enumerate(words)})
        frequency_V = np.bincount(counts_NV.indices, minlength=len(words))
        # Stable, so that words of one frequency are chosen by the alphabet on every machine.
        by_frequency = np.argsort(-frequency_V, kind="stable")[: settings.max_words]
        kept = np.sort(by_frequency[frequency_V[by_frequency] >= settings.min_count])
        if not len(kept):
            raise InputError(
                f"text.tfidf.min_count: no word is in {settings.min_count} training texts; lower it"
            )
        encoder = cls([words[v] for v in kept], smoothed_idf(counts_NV[:, kept]))
        if settings.svd:
            encoder.components_VC = _components(encoder._sparse(train_texts), settings.svd)
        return encoder

    def encode(self, texts: Sequence[str]) -> np.ndarray | csr_matrix:
        """Encode N clean texts as [N, V] sparse or [N, C] dense.

        A text without a known word is a row of zeros.
        """
        tfidf_NV = self._sparse(texts)
        if self.components_VC is None:
            return tfidf_NV
        return np.asarray(tfidf_NV @ self.components_VC, dtype=np.float32)

    def _sparse(self, texts: Sequence[str]) -> csr_matrix:
        tfidf_NV = count_words(texts, self._column_of)
        tfidf_NV.data *= self.idf_V[tfidf_NV.indices]
        square_N = np.asarray(tfidf_NV.multiply(tfidf_NV).sum(axis=1)).ravel()
        norm_N = np.sqrt(np.where(square_N > 0, square_N, 1.0))
        tfidf_NV.data /= np.repeat(norm_N, np.diff(tfidf_NV.indptr)).astype(np.float32)
        return tfidf_NV

    def save(self, folder: Path) -> None:
        """Write `encoder.safetensors` (idf, perhaps components) and `words.json`."""
        tensors = {"idf": self.idf_V}
        if self.components_VC is not None:
            tensors["components"] = self.components_VC
        save_words(folder, self.words, tensors)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; `InputError` where a file is missing or damaged."""
        words, tensors = load_words(folder, ["idf"])
        return cls(words, tensors["idf"], tensors.get("components"))


def _components(tfidf_NV: csr_matrix, count: int) -> np.ndarray:
    """Directions of largest variation (latent semantic analysis), [V, C] float32."""
    from sklearn.decomposition import TruncatedSVD

    if count >= min(tfidf_NV.shape):
        raise InputError(
            f"text.tfidf.svd: got {count}, but there are {tfidf_NV.shape[0]} training texts and "
            f"{tfidf_NV.shape[1]} words; ask for fewer components than either"
        )
    svd = TruncatedSVD(count, random_state=SVD_SEED).fit(tfidf_NV)
    return np.ascontiguousarray(svd.components_.T, dtype=np.float32)
