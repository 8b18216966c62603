"""Graph encoder `infersent`: the sentence encoder of notebook A.

Shape letters: M texts, L words of a text, E word vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from pipeline.core.errors import InputError
from pipeline.core.section import Section
from pipeline.semantic_graph.class_texts import ClassEmbeddings, Of, distinct_texts, embed_texts

if TYPE_CHECKING:
    from pipeline.encoders.word_vectors import WordVectors

MARKS = {1: ("<s>", "</s>"), 2: ("<p>", "</p>")}
"""What version 1 and version 2 put before and behind a sentence."""


class Settings(Section):
    """Notebook A's sentence encoder."""

    version: Literal[1, 2]
    """1, trained with GloVe 840B, or 2, trained with fastText vectors."""
    weights: Annotated[str, Field(min_length=1)]
    """File of the published state dict."""
    vectors: Annotated[str, Field(min_length=1)]
    """The word vectors it was trained with, as source/name."""


def embed(
    class_parts: Sequence[Sequence[str]], of: Of, settings: Settings, cache: Path
) -> ClassEmbeddings:
    """Embed every class by a sentence vector, [K, 4096] with the published weights.

    Words without a word vector are left out, as in the published program.

    Raises:
        InputError: A file cannot be read, weights and vectors do not belong together, or a class
            has no known word at all.
    """
    from pipeline.encoders.word_vectors import load_word_vectors
    from pipeline.semantic_graph.bilstm_max import BilstmMax

    version, vectors = settings.version, settings.vectors
    encoder = BilstmMax.load(Path(settings.weights))
    texts = distinct_texts(class_parts, of)
    parts = {part for parts in class_parts for part in parts}
    words = {text: split_words(text, version) for text in (*texts, *parts)}
    wanted = {form for text in words.values() for word in text for form in (word, word.lower())}
    known = load_word_vectors(vectors, wanted | set(MARKS[version]), cache)
    if known.vector_size != encoder.word_dimension:
        raise InputError(
            f"graph.infersent.vectors: {vectors} has {known.vector_size} numbers per word, but "
            f"{settings.weights} was trained with {encoder.word_dimension}; name the "
            "vectors of the training"
        )

    def encode(texts: list[str]) -> np.ndarray:
        forms = [_known_forms(words[text], known) for text in texts]
        start, end = ([mark] if mark in known else [] for mark in MARKS[version])
        some = [row for row, of_text in enumerate(forms) if of_text]
        sentence_vectors = encoder.encode([known[start + forms[row] + end] for row in some])
        vector_ME = np.zeros((len(texts), sentence_vectors.shape[1]), dtype=np.float32)
        vector_ME[some] = sentence_vectors
        return vector_ME

    found = embed_texts(
        class_parts,
        of,
        encode,
        if_unknown="no word of the name has a word vector; rename the class in the catalogue, or "
        "choose other vectors with graph.infersent.vectors",
    )
    read = {word for text in texts for word in words[text]}
    unknown = sorted(word for word in read if not _known_forms([word], known))
    return found._replace(unknown_words=unknown)


def split_words(text: str, version: int) -> list[str]:
    """Split a text as the published program does: as the Penn Treebank, case kept.

    `Men's coats` becomes `[Men, 's, coats]`; version 2 writes `don't` as `don 't` where version 1
    writes `do n't`.
    """
    # nltk takes a moment to import, which the other encoders need not wait for.
    from nltk.tokenize import NLTKWordTokenizer

    words = NLTKWordTokenizer().tokenize(text)
    if version == 1:
        return words
    return " ".join(words).replace(" n't ", "n 't ").split()


def _known_forms(words: list[str], vectors: WordVectors) -> list[str]:
    """The words that have a vector, as they stand or else, unlike published, in lower case."""
    forms = [word if word in vectors else word.lower() for word in words]
    return [form for form in forms if form in vectors]
