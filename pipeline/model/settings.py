"""Section `model` of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.core.auto import AutoOrShare
from pipeline.core.section import Section

Positive = Annotated[int, Field(ge=1)]


class ModelSettings(Section):
    """Shape of the towers and the classifier."""

    dim: Annotated[int, Field(ge=2)]
    """D, dimension of the universal embedding; its map in the plane needs two."""
    image_layers: Positive
    """Fully connected layers of the image tower, the embedding layer included."""
    text_layers: Positive
    """Fully connected layers of the text tower, the embedding layer included."""
    width: Positive
    """Units of a hidden layer."""
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)]
    """Share of hidden units dropped in training."""
    input_dropout: AutoOrShare
    """Share of the inputs dropped in training; auto: by the number of training items."""
    residual: bool
    """Whether a linear path leads past the layers of a tower."""
    fusion: Literal["late", "product", "concat"]
    """How the two modalities are combined into one prediction."""
    logit_scale: Literal["none", "learned"]
    """Whether logits are multiplied by a learned scale."""
