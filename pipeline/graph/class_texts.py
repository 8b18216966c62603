"""What a text encoder reads of a class path, and how the vectors of several texts become one.

Shape letters: K classes, M texts, E class-name embedding.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from pipeline.errors import InputError

Of = Literal["path", "leaf", "parts_mean"]
"""`path`: the whole path as one text; `leaf`: its last part; `parts_mean`: each part by itself,
and the class is the mean of their vectors (notebook B)."""


class ClassEmbeddings(NamedTuple):
    """What an encoder makes of the classes."""

    embedding_KE: np.ndarray
    """[K, E] float, no row of zeros; the distances between classes are their cosine distances."""
    unknown_words: list[str]
    """Words of the texts that the encoder has no vector for, sorted; they were passed over."""


def texts_of(parts: Sequence[str], of: Of) -> list[str]:
    """Choose the texts that stand for a class.

    Args:
        parts: Its path, most general part first.
        of: Which texts.

    Returns:
        At least one text.
    """
    if of == "path":
        return [" ".join(parts)]
    return [parts[-1]] if of == "leaf" else list(parts)


def distinct_texts(class_parts: Sequence[Sequence[str]], of: Of) -> list[str]:
    """List the texts of all classes.

    Args:
        class_parts: K class paths.
        of: Which texts.

    Returns:
        M different texts, sorted, so that the order of the classes changes nothing.
    """
    return sorted({text for parts in class_parts for text in texts_of(parts, of)})


def mean_over_texts(
    class_parts: Sequence[Sequence[str]],
    of: Of,
    encode: Callable[[list[str]], np.ndarray],
    *,
    if_unknown: str,
) -> np.ndarray:
    """Encode every text once and give each class the mean over its texts.

    Args:
        class_parts: K class paths.
        of: Which texts.
        encode: M texts -> [M, E] float; a row of zeros for a text that it cannot tell anything
            about. Such a text is left out of the mean.
        if_unknown: Why a class may have no such text, and what to do; for the message.

    Returns:
        [K, E] float64, no row of zeros.

    Raises:
        InputError: Names each class without any text that can be encoded.
    """
    texts = distinct_texts(class_parts, of)
    vector_ME = encode(texts).astype(np.float64)
    row_of = {text: row for row, text in enumerate(texts) if vector_ME[row].any()}
    rows_of_class = [
        [row_of[text] for text in texts_of(parts, of) if text in row_of] for parts in class_parts
    ]
    unknown = [
        " < ".join(parts)
        for parts, rows in zip(class_parts, rows_of_class, strict=True)
        if not rows
    ]
    if unknown:
        raise InputError(f"class {', '.join(map(repr, unknown))}: {if_unknown}")
    return np.stack([vector_ME[rows].mean(axis=0) for rows in rows_of_class])
