"""psi: a class path as a vector, the mean over its parts of the mean of their words' vectors.

Shape letters: K classes, E word vector.
"""

import re
from collections.abc import Sequence

import numpy as np
from gensim.models import KeyedVectors

from pipeline.errors import InputError
from pipeline.text.steps import fold_accents

_WORD = re.compile(r"[a-z]+")


def part_words(part: str) -> list[str]:
    """Words of one part of a class path; stop words stay, since a name is short.

    Args:
        part: For example `Food & Drink`.

    Returns:
        Lower-case ASCII words, for example `[food, drink]`.
    """
    return _WORD.findall(fold_accents(part).lower())


def embed_classes(class_parts: Sequence[Sequence[str]], vectors: KeyedVectors) -> np.ndarray:
    """Embed every class path.

    A part without a known word is left out of the mean.

    Args:
        class_parts: K class paths, most general part first.
        vectors: Word vectors of the words of all parts.

    Returns:
        [K, E] float64.

    Raises:
        InputError: Names each class that has no known word at all.
    """
    unknown = [parts for parts in class_parts if not any(_known(part, vectors) for part in parts)]
    if unknown:
        names = ", ".join(repr(" < ".join(parts)) for parts in unknown)
        raise InputError(
            f"class {names}: no word of the name has a word vector; rename the class in the "
            "catalogue, or choose other vectors with graph.vectors"
        )
    return np.stack([_embed_path(parts, vectors) for parts in class_parts])


def unknown_words(class_parts: Sequence[Sequence[str]], vectors: KeyedVectors) -> list[str]:
    """Words of class names that have no vector.

    Args:
        class_parts: K class paths.
        vectors: Word vectors.

    Returns:
        The words, sorted.
    """
    words = {word for parts in class_parts for part in parts for word in part_words(part)}
    return sorted(word for word in words if word not in vectors)


def _known(part: str, vectors: KeyedVectors) -> list[str]:
    return [word for word in part_words(part) if word in vectors]


def _embed_path(parts: Sequence[str], vectors: KeyedVectors) -> np.ndarray:
    part_embeddings = [
        vectors[words].astype(np.float64).mean(axis=0)
        for words in (_known(part, vectors) for part in parts)
        if words
    ]
    return np.mean(part_embeddings, axis=0)
