"""Graph encoder `transformer`: the last hidden layers of any Hugging Face encoder."""

from collections.abc import Sequence
from typing import Literal

from pipeline.semantic_graph.class_texts import ClassEmbeddings, Of, embed_texts

TEXTS_PER_BATCH = 32
MAX_TOKENS = 512
"""More than a class name has."""


def embed(
    class_parts: Sequence[Sequence[str]],
    of: Of,
    *,
    model: str,
    layers: int,
    combine: Literal["concat", "mean"],
) -> ClassEmbeddings:
    """Embed every class.

    Args:
        class_parts: K class paths, most general part first.
        of: What of the path is read, as the catalogue writes it.
        model: See `pipeline.encoders.transformer`.
        layers: How many of the last layers.
        combine: What is done with the layers.

    Returns:
        Means over the tokens of a text, without [CLS] and [SEP].

    Raises:
        InputError: The model cannot be found or loaded, or has fewer layers.
    """
    # Imported here because torch takes seconds, which the other encoders need not wait for.
    from pipeline.encoders.transformer import TransformerEncoder

    encoder = TransformerEncoder(
        model=model,
        layers=layers,
        combine=combine,
        special_tokens=False,
        max_tokens=MAX_TOKENS,
        keep="first",
        batch_size=TEXTS_PER_BATCH,
        device="auto",
        precision="fp32",
    )
    return embed_texts(
        class_parts,
        of,
        encoder.encode,
        if_unknown="graph.transformer.model says nothing of its name",
    )
