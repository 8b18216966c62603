"""psi: classes as vectors, by the name of an encoder.

Shape letters: K classes, E class-name embedding.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.core.errors import InputError
from pipeline.core.plugins import import_plugin
from pipeline.semantic_graph import encoders
from pipeline.semantic_graph.blend import blend
from pipeline.semantic_graph.class_texts import ClassEmbeddings, Of
from pipeline.semantic_graph.settings import BLEND, GraphSettings


def embed_classes(
    class_parts: Sequence[Sequence[str]], of: Of, settings: GraphSettings, cache: Path
) -> ClassEmbeddings:
    """Embed every class; no text is encoded twice.

    Args:
        class_parts: K class paths, most general part first; all different.
        of: What of the path an encoder of texts reads, whatever the settings say.
        settings: Which encoder, or `blend` of two, and what each needs.
        cache: Folder for what is worth having in the next run too.

    Raises:
        InputError: A class cannot be embedded (names it), or a model or file of the encoder cannot
            be read.
    """

    def by(name: str) -> ClassEmbeddings:
        own = getattr(settings, name, None)
        found: ClassEmbeddings = import_plugin(encoders, name).embed(class_parts, of, own, cache)
        _check_directions(name, class_parts, found.embedding_KE)
        return found

    if settings.encoder != BLEND:
        return by(settings.encoder)
    first, second = map(by, settings.blend.encoders)
    return ClassEmbeddings(
        blend(first.embedding_KE, second.embedding_KE, settings.blend.weight),
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
