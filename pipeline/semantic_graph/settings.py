"""Section `graph` of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.core.section import Section

Name = Annotated[str, Field(min_length=1)]

Encoder = Literal["glove", "infersent", "open_clip", "path", "sentence", "transformer"]


class GraphGloveSettings(Section):
    """Encoder glove: the mean of the word vectors of a class's words."""

    vectors: Name
    """Word vectors, as source/name."""


class GraphSentenceSettings(Section):
    """Encoder sentence: a sentence-transformers model."""

    model: Name
    """Which model."""


class GraphTransformerSettings(Section):
    """Encoder transformer: mean over tokens of hidden states."""

    model: Name
    """Which model."""
    layers: Annotated[int, Field(ge=1)]
    """How many of the last layers."""
    combine: Literal["concat", "mean"]
    """What is done with the layers."""


class GraphOpenClipSettings(Section):
    """Encoder open_clip: the text side of an open_clip model."""

    model: Name
    """Which model."""


class InferSentSettings(Section):
    """Encoder infersent: notebook A's sentence encoder."""

    version: Literal[1, 2]
    """1, trained with GloVe 840B, or 2, trained with fastText vectors."""
    weights: Name
    """File of the published state dict."""
    vectors: Name
    """The word vectors it was trained with, as source/name."""


class BlendSettings(Section):
    """Encoder blend: the weighted mean of two graphs' distances."""

    encoders: Annotated[list[Encoder], Field(min_length=2, max_length=2)]
    """The two."""
    weight: Annotated[float, Field(ge=0.0, le=1.0)]
    """Of the first; the second has the rest."""


class GraphSettings(Section):
    """How classes become a semantic graph."""

    encoder: Literal[Encoder, "blend"]
    """What turns a class into a vector (psi in the paper)."""
    of: Literal["path", "leaf", "parts_mean"]
    """What of a class path an encoder of texts reads."""
    glove: GraphGloveSettings
    sentence: GraphSentenceSettings
    transformer: GraphTransformerSettings
    open_clip: GraphOpenClipSettings
    infersent: InferSentSettings
    blend: BlendSettings
