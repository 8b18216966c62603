"""psi: classes as vectors, by the name of an encoder.

Shape letters: K classes, E class-name embedding.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.core.errors import InputError
from pipeline.semantic_graph.blend import blend
from pipeline.semantic_graph.class_texts import ClassEmbeddings, Of
from pipeline.semantic_graph.encoders import ENCODERS

BLEND = "blend"


def embed_classes(
    class_parts: Sequence[Sequence[str]],
    *,
    encoder: str,
    of: Of,
    settings: Mapping[str, Mapping[str, Any]],
) -> ClassEmbeddings:
    """Embed every class; no text is encoded twice.

    Args:
        class_parts: K class paths, most general part first; all different.
        encoder: A name in `ENCODERS`, or `blend` of two of them.
        of: What of the path an encoder of texts reads.
        settings: Arguments of the encoders by name; those of `blend` are `encoders`, two names,
            and `weight`, that of the first.

    Returns:
        [K, E] embeddings.

    Raises:
        InputError: A class cannot be embedded (names it), or a model or file of the encoder cannot
            be read.
        ValueError: There is no such encoder.
    """
    if encoder != BLEND:
        if encoder not in ENCODERS:
            raise ValueError(f"unknown encoder {encoder!r}; known: {', '.join(ENCODERS)}, blend")
        found = ENCODERS[encoder](class_parts, of, **settings.get(encoder, {}))
        _check_directions(encoder, class_parts, found.embedding_KE)
        return found
    first, second = (
        embed_classes(class_parts, encoder=name, of=of, settings=settings)
        for name in settings[BLEND]["encoders"]
    )
    return ClassEmbeddings(
        blend(first.embedding_KE, second.embedding_KE, settings[BLEND]["weight"]),
        sorted({*first.unknown_words, *second.unknown_words}),
        first.stand_ins | second.stand_ins,
    )


def _check_directions(
    encoder: str, class_parts: Sequence[Sequence[str]], embedding_KE: np.ndarray
) -> None:
    # Stored as float32, in which more is too large.
    with np.errstate(over="ignore"):
        embedding_KE = embedding_KE.astype(np.float32)
    broken = np.flatnonzero(~(np.isfinite(embedding_KE).all(axis=1) & embedding_KE.any(axis=1)))
    if len(broken):
        named = ", ".join(repr(" < ".join(class_parts[k])) for k in broken.tolist())
        raise InputError(
            f"class {named}: its embedding is not finite, or is zero; choose another model or "
            f"other vectors in graph.{encoder}, or rename the class in the catalogue"
        )
