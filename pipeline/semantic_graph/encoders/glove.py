"""Graph encoder `glove`: the mean of the word vectors of a class's words.

Shape letters: M texts, E word vector.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from pipeline.core.section import Section
from pipeline.core.text import fold_accents
from pipeline.semantic_graph.class_texts import ClassEmbeddings, Of, distinct_texts, embed_texts

if TYPE_CHECKING:
    from pipeline.encoders.word_vectors import WordVectors

_WORD = re.compile(r"[a-z]+")


class Settings(Section):
    """The mean of the word vectors of a class's words."""

    vectors: Annotated[str, Field(min_length=1)]
    """Word vectors, as source/name."""


def embed(
    class_parts: Sequence[Sequence[str]], of: Of, settings: Settings, cache: Path
) -> ClassEmbeddings:
    """Embed every class by its mean; words without a vector are left out.

    Raises:
        InputError: The vectors cannot be read, or a class has no known word at all.
    """
    from pipeline.encoders.word_vectors import load_word_vectors

    words = {word for parts in class_parts for part in parts for word in text_words(part)}
    known = load_word_vectors(settings.vectors, words, cache)
    read = {word for text in distinct_texts(class_parts, of) for word in text_words(text)}
    unknown = sorted(word for word in read if word not in known)
    return embed_with(known, class_parts, of)._replace(unknown_words=unknown)


def embed_with(
    vectors: WordVectors, class_parts: Sequence[Sequence[str]], of: Of
) -> ClassEmbeddings:
    """Embed every class with word vectors at hand.

    Raises:
        InputError: Names each class that has no known word at all.
    """
    return embed_texts(
        class_parts,
        of,
        lambda texts: np.stack([_mean_vector(text, vectors) for text in texts]),
        if_unknown="no word of the name has a word vector; rename the class in the catalogue, or "
        "choose other vectors with graph.glove.vectors",
    )


def text_words(text: str) -> list[str]:
    """Words of a class name: `[food, drink]` of `Food & Drink`; stop words stay in a short name."""
    return _WORD.findall(fold_accents(text).lower())


def _mean_vector(text: str, vectors: WordVectors) -> np.ndarray:
    words = [word for word in text_words(text) if word in vectors]
    if not words:
        return np.zeros(vectors.vector_size)
    return vectors[words].astype(np.float64).mean(axis=0)
