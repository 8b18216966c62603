"""Section `image` of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.section import Section


class ImageParams(Section):
    """How pictures become feature vectors."""

    backbone: Annotated[str, Field(min_length=1)]
    """Frozen network, as source/name."""
    layer: Literal["pooled", "logits"]
    """Pooled features or class logits."""
    batch_size: Annotated[int, Field(ge=1)]
    """Pictures per forward pass."""
    device: Literal["auto", "cpu", "cuda"]
    """Where the backbone runs."""
    background: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
    """Colour under transparent pixels."""
    max_failed: Annotated[float, Field(ge=0.0, le=1.0)]
    """Share of unreadable pictures above which the stage fails."""
