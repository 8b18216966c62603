"""Section `image` of params.yaml."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainValidator
from pydantic_core import PydanticCustomError

from pipeline.core.plugins import plugin_names
from pipeline.core.section import Section
from pipeline.image_features import backbones

# Shares of the full pixel value, as every library of networks gives them.
Share = Annotated[float, Field(ge=0.0, le=1.0)]
PositiveShare = Annotated[float, Field(gt=0.0, le=1.0)]
Channels = Annotated[list[Share], Field(min_length=3, max_length=3)]
PositiveChannels = Annotated[list[PositiveShare], Field(min_length=3, max_length=3)]

Resize = Literal["squash", "crop", "pad"]
Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"]

BACKBONE_SOURCES = plugin_names(backbones)


def _source_and_name(value: Any) -> str:
    source, _, name = value.partition("/") if isinstance(value, str) else ("", "", "")
    if source in BACKBONE_SOURCES and name:
        return value
    known = ", ".join(f"{source}/..." for source in BACKBONE_SOURCES)
    raise PydanticCustomError(
        "backbone", "a source and a name are expected: {known}", {"known": known}
    )


class ImageSettings(Section):
    """How pictures become feature vectors."""

    moved: ClassVar[Mapping[str, str]] = {
        "batch_size": "machine.image_batch_size",
        "workers": "machine.workers",
        "engine": "machine.engine",
        "store": "machine.vector_store",
    }
    backbone: Annotated[str, PlainValidator(_source_and_name)]
    """Frozen network, as source/name."""
    weights: Annotated[str, Field(min_length=1)]
    """The name's own weights, random ones, or the path of a checkpoint."""
    layer: Literal["pooled", "logits"]
    """Pooled features or class logits."""
    resize: Resize | None
    """How a picture becomes square; null: as the weights were trained."""
    size: Annotated[int, Field(ge=1, le=4096)] | None
    """Side of the square in pixels; null: as the weights were trained."""
    interpolation: Interpolation | None
    """Filter of the resizing; null: as the weights were trained."""
    mean: Channels | None
    """Per channel, subtracted from pixels in 0..1; null: as the weights were trained."""
    std: PositiveChannels | None
    """Per channel, what is left is divided by; null: as the weights were trained."""
    jpeg: Literal["exact", "scaled"]
    """Whether JPEGs may be decoded at a part of their size."""
    background: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
    """Colour under transparent pixels."""
    max_pixels: Annotated[int, Field(ge=1, le=178_956_970)]
    """Width times height above which a picture is refused; the upper bound is Pillow's."""
    views: Annotated[int, Field(ge=1, le=127)]
    """Views per picture: the clean one and augmented ones."""
    augment: Literal["crop_flip", "crop_a", "rotate_flip_b"]
    """What makes the augmented views."""
    runtime: Literal["auto", "torch", "onnxruntime", "openvino"]
    """What runs the network."""
    precision: Literal["fp32", "bf16", "fp16"]
    """What the network computes in."""
    device: Literal["auto", "cpu", "cuda"]
    """Where the backbone runs."""
    max_failed: Annotated[float, Field(ge=0.0, le=1.0)]
    """Share of unreadable pictures above which the stage fails."""
