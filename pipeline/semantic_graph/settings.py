"""Section `graph` of params.yaml: which encoder, and a section for each that has settings."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.core.plugins import plugin_names, plugin_sections
from pipeline.core.section import Section
from pipeline.semantic_graph import encoders

GRAPH_ENCODERS = plugin_names(encoders)
BLEND = "blend"


class BlendSettings(Section):
    """Encoder blend: the weighted mean of two graphs' distances."""

    encoders: Annotated[
        list[Literal[GRAPH_ENCODERS]],  # type: ignore[valid-type]
        Field(min_length=2, max_length=2),
    ]
    """The two."""
    weight: Annotated[float, Field(ge=0.0, le=1.0)]
    """Of the first; the second has the rest."""


class GraphSettings(plugin_sections(encoders)):  # type: ignore[misc]
    """How classes become a semantic graph."""

    encoder: Literal[(*GRAPH_ENCODERS, BLEND)]  # type: ignore[valid-type]
    """What turns a class into a vector (psi in the paper)."""
    of: Literal["path", "leaf", "parts_mean"]
    """What of a class path an encoder of texts reads."""
    blend: BlendSettings
