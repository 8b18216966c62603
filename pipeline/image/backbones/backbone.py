"""What an image backbone is to the extraction."""

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Backbone:
    """A frozen network with the preprocessing its weights were trained with."""

    module: nn.Module
    """[B, 3, size, size] float pixels, normalised -> [B, I] features."""
    dimension: int
    """I, length of a feature vector."""
    size: int
    """Side of the square input in pixels."""
    mean: tuple[float, float, float]
    """Per channel, in units of pixel values 0..255."""
    std: tuple[float, float, float]
    """Per channel, in units of pixel values 0..255."""
    weights_digest: str
    """sha256 of the weights file: part of what makes a feature."""
