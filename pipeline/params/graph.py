"""Section `graph` of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.section import Section

Name = Annotated[str, Field(min_length=1)]

Encoder = Literal["glove", "path"]


class GraphGloveParams(Section):
    """Encoder glove: the mean of the word vectors of a class's words."""

    vectors: Name
    """Word vectors, as source/name."""


class BlendParams(Section):
    """Encoder blend: the weighted mean of two graphs' distances."""

    encoders: Annotated[list[Encoder], Field(min_length=2, max_length=2)]
    """The two."""
    weight: Annotated[float, Field(ge=0.0, le=1.0)]
    """Of the first; the second has the rest."""


class GraphParams(Section):
    """How classes become a semantic graph."""

    encoder: Literal[Encoder, "blend"]
    """What turns a class into a vector (psi in the paper)."""
    of: Literal["path", "leaf", "parts_mean"]
    """What of a class path an encoder of texts reads."""
    glove: GraphGloveParams
    blend: BlendParams
