"""Graph encoder `transformer`: the last hidden layers of any Hugging Face encoder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from pipeline.core.section import Section
from pipeline.semantic_graph.class_texts import ClassEmbeddings, Of
from pipeline.semantic_graph.text_encoder import embed_with_text_encoder


class Settings(Section):
    """As of text encoder `transformer`."""

    model: Annotated[str, Field(min_length=1)]
    """Which model."""
    layers: Annotated[int, Field(ge=1)]
    """How many of the last layers."""
    combine: Literal["concat", "mean"]
    """What is done with the layers."""


def embed(
    class_parts: Sequence[Sequence[str]], of: Of, settings: Settings, cache: Path
) -> ClassEmbeddings:
    """Embed every class by means over the tokens of its text, without [CLS] and [SEP]."""
    # More tokens than a class name has: none has to be chosen.
    whole = {"special_tokens": False, "max_tokens": 512, "keep": "first"}
    return embed_with_text_encoder("transformer", class_parts, of, settings, cache, **whole)
