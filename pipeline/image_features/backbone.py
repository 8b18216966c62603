"""What an image backbone is to the extraction.

Shape letters: B batch, S side of the input, I image feature.
"""

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pipeline.image_features.transform import Transform


@dataclass(frozen=True)
class Backbone:
    """A frozen network with the preprocessing its weights were trained with."""

    module: nn.Module
    """[B, 3, S, S] float pixels, normalised -> [B, I] features; in evaluation mode."""
    transform: Transform
    """How a picture becomes its input."""

    def __post_init__(self) -> None:
        self.module.eval().requires_grad_(False)

    def with_transform(self, transform: Transform) -> "Backbone":
        """The same network with another preprocessing; the module is shared."""
        return Backbone(self.module, transform)

    def dimension(self) -> int:
        """Length I of a feature vector, found by a forward pass of one black picture."""
        side = self.transform.size
        with torch.inference_mode():
            return self.module(torch.zeros(1, 3, side, side)).shape[1]

    def weights_digest(self) -> str:
        """Sha256 over names and values of all weights, wherever they came from."""
        digest = hashlib.sha256()
        # Sorted: libraries list the same weights in other orders in other versions.
        for name, tensor in sorted(self.module.state_dict().items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            digest.update(tensor.contiguous().view(-1).view(torch.uint8).numpy().data)
        return digest.hexdigest()


class LastLinearInput(nn.Module):
    """A classifier up to its last linear layer: the features that its classes are told by."""

    def __init__(self, network: nn.Module) -> None:
        """Take the last linear layer off, in place; a `ValueError` where there is none."""
        super().__init__()
        names = [name for name, part in network.named_modules() if isinstance(part, nn.Linear)]
        if not names:
            raise ValueError("the network has no linear layer")
        owner, _, last = names[-1].rpartition(".")
        setattr(network.get_submodule(owner), last, nn.Identity())
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        """[B, 3, S, S] -> [B, I]."""
        return self.network(pixels).flatten(1)
