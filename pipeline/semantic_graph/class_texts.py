"""What a text encoder reads of a class path, and how the vectors of several texts become one.

Shape letters: K classes, M texts, E class-name embedding.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from pipeline.core.errors import InputError

Of = Literal["path", "leaf", "parts_mean"]
"""`path`: the whole path as one text; `leaf`: its last part; `parts_mean`: each part by itself,
and the class is the mean of their vectors (notebook B)."""


class ClassEmbeddings(NamedTuple):
    """What an encoder makes of the classes."""

    embedding_KE: np.ndarray
    """[K, E] float, no row of zeros; the distances between classes are their cosine distances."""
    unknown_words: list[str]
    """Words of the texts that the encoder has no vector for, sorted; they were passed over."""
    stand_ins: dict[str, str]
    """Class path -> the part above it that was read for it, because its own is unknown."""


def texts_of(parts: Sequence[str], of: Of) -> list[str]:
    """Choose the texts that stand for a class, at least one."""
    if of == "path":
        return [" ".join(parts)]
    return [parts[-1]] if of == "leaf" else list(parts)


def distinct_texts(class_parts: Sequence[Sequence[str]], of: Of) -> list[str]:
    """Texts of all classes, each once, sorted: the order of the classes changes nothing."""
    return sorted({text for parts in class_parts for text in texts_of(parts, of)})


def embed_texts(
    class_parts: Sequence[Sequence[str]],
    of: Of,
    encode: Callable[[list[str]], np.ndarray],
    *,
    if_unknown: str,
) -> ClassEmbeddings:
    """Encode every text once and give each class the mean over its texts.

    A leaf that the encoder can tell nothing about, such as a word that is not in its vocabulary,
    stands where the nearest part above it stands that the encoder knows.

    Args:
        class_parts: K class paths.
        of: Which texts.
        encode: M texts -> [M, E] float; a row of zeros for a text that it cannot tell anything
            about. Such a text is left out of the mean.
        if_unknown: Why a class may have no text that can be encoded, and what to do; for the
            message.

    Returns:
        Float64 embeddings; no unknown words.

    Raises:
        InputError: Names each class without any text that can be encoded.
    """
    vector_of = _encode_distinct(distinct_texts(class_parts, of), encode)
    texts_of_class = [
        [text for text in texts_of(parts, of) if text in vector_of] for parts in class_parts
    ]
    # Of classes alone that need a stand-in: encoding takes its time.
    above = {
        part
        for parts, texts in zip(class_parts, texts_of_class, strict=True)
        if not texts
        for part in parts
    }
    vector_of |= _encode_distinct(sorted(above), encode)
    stand_ins = {}
    unknown = []
    for parts, texts in zip(class_parts, texts_of_class, strict=True):
        if texts:
            continue
        known = [part for part in parts if part in vector_of]
        if known:
            texts.append(known[-1])
            stand_ins[" < ".join(parts)] = known[-1]
        else:
            unknown.append(" < ".join(parts))
    if unknown:
        raise InputError(f"class {', '.join(map(repr, unknown))}: {if_unknown}")
    embedding_KE = np.stack(
        [np.mean([vector_of[text] for text in texts], axis=0) for texts in texts_of_class]
    )
    return ClassEmbeddings(embedding_KE, [], stand_ins)


def _encode_distinct(
    texts: list[str], encode: Callable[[list[str]], np.ndarray]
) -> dict[str, np.ndarray]:
    """Vectors of the texts that the encoder can tell something about."""
    if not texts:
        return {}
    vector_ME = encode(texts).astype(np.float64)
    return {text: row for text, row in zip(texts, vector_ME, strict=True) if row.any()}
