"""Graph encoder `sentence`: any sentence-transformers model (notebook B: sentence-BERT)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from pipeline.core.section import Section
from pipeline.semantic_graph.class_texts import ClassEmbeddings, Of
from pipeline.semantic_graph.text_encoder import embed_with_text_encoder


class Settings(Section):
    """As of text encoder `sentence`."""

    model: Annotated[str, Field(min_length=1)]
    """Which model."""


def embed(
    class_parts: Sequence[Sequence[str]], of: Of, settings: Settings, cache: Path
) -> ClassEmbeddings:
    """Embed every class by its sentence embedding."""
    return embed_with_text_encoder("sentence", class_parts, of, settings, cache)
