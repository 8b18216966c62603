"""Classes as a text encoder sees them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.core.plugins import import_plugin
from pipeline.core.section import Section
from pipeline.encoders import text
from pipeline.semantic_graph.class_texts import ClassEmbeddings, Of, embed_texts

# A few hundred short texts: how they are encoded need not be chosen, and every digit counts.
HOW = {"input": "text", "batch_size": 32, "device": "auto", "precision": "fp32"}


def embed_with_text_encoder(
    name: str,
    class_parts: Sequence[Sequence[str]],
    of: Of,
    settings: Section,
    cache: Path,
    **more: Any,
) -> ClassEmbeddings:
    """Embed every class with an encoder of texts.

    Args:
        name: The encoder's, which is also that of the graph encoder.
        class_parts: K class paths, most general part first.
        of: What of the path is read, as the catalogue writes it.
        settings: The graph encoder's, which it shares with the encoder of texts.
        cache: Folder of networks that are kept between runs, by whichever stage comes first.
        **more: Settings that only the encoder of texts has.

    Raises:
        InputError: The model cannot be found or loaded.
    """
    found = import_plugin(text, name)
    chosen = found.Settings.model_validate(HOW | more | settings.model_dump())
    return embed_texts(
        class_parts,
        of,
        found.Encoder.open(chosen, cache).encode,
        if_unknown=f"graph.{name}.model says nothing of its name",
    )
