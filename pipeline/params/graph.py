"""Section `graph` of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.section import Section


class GraphParams(Section):
    """How class names become a semantic graph."""

    encoder: Literal["glove"]
    """What turns a class name into a vector (psi in the paper)."""
    vectors: Annotated[str, Field(min_length=1)]
    """Word vectors of the encoder, as source/name."""
