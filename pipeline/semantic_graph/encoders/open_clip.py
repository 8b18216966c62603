"""Graph encoder `open_clip`: the text side of an open_clip model."""

from collections.abc import Sequence

from pipeline.semantic_graph.class_texts import ClassEmbeddings, Of, embed_texts

TEXTS_PER_BATCH = 32


def embed(class_parts: Sequence[Sequence[str]], of: Of, *, model: str) -> ClassEmbeddings:
    """Embed every class.

    Args:
        class_parts: K class paths, most general part first.
        of: What of the path is read, as the catalogue writes it.
        model: See `pipeline.encoders.open_clip`.

    Returns:
        Text embeddings.

    Raises:
        InputError: The model cannot be found or loaded.
    """
    # Imported here because torch takes seconds, which the other encoders need not wait for.
    from pipeline.encoders.open_clip import OpenClipEncoder

    encoder = OpenClipEncoder(
        model=model, batch_size=TEXTS_PER_BATCH, device="auto", precision="fp32"
    )
    return embed_texts(
        class_parts, of, encoder.encode, if_unknown="graph.open_clip.model says nothing of its name"
    )
