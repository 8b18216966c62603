"""Classification networks of torchvision: ResNet-18 is notebook A's, VGG-19 notebook B's."""

from difflib import get_close_matches
from typing import Any

from torch import nn

from pipeline.core.errors import InputError
from pipeline.image_features.backbone import Backbone, LastLinearInput
from pipeline.image_features.backbone_weights import downloading, load_checkpoint, random_weights
from pipeline.image_features.transform import Transform


def load(name: str, layer: str, weights: str) -> Backbone:
    """Load any classification network of torchvision.

    Args:
        name: As `torchvision.models.list_models` has it, for example `resnet18`.
        layer: `pooled`: what goes into the last linear layer (ResNet-18: 512 pooled features);
            `logits`: the classes (notebook B takes VGG-19's 1000).
        weights: `default`: torchvision's own choice; `none` or a path.

    Returns:
        The backbone, with the transform that the default weights were evaluated with.

    Raises:
        InputError: The name is unknown or the weights cannot be loaded.
    """
    from torchvision import models

    # The classification networks are those of the module itself, not of its subpackages.
    known = models.list_models(module=models)
    if name not in known:
        close = ", ".join(f"torchvision/{one}" for one in get_close_matches(name, known))
        hint = f"did you mean {close}? " if close else ""
        raise InputError(
            f"image.backbone: got 'torchvision/{name}', which torchvision does not know; {hint}"
            'python -c "from torchvision import models as m; print(m.list_models(m))" lists all'
        )
    if weights == "default":
        with downloading(f"torchvision/{name}"):
            network = models.get_model(name, weights="DEFAULT", progress=False)
    else:
        network = random_weights(lambda: models.get_model(name, weights=None))
        if weights != "none":
            load_checkpoint(network, weights)
    transform = _transform(models.get_model_weights(name).DEFAULT.transforms())
    return Backbone(network if layer == "logits" else _pooled(network), transform)


def _pooled(network: nn.Module) -> nn.Module:
    if any(isinstance(part, nn.Linear) for part in network.modules()):
        return LastLinearInput(network)
    # SqueezeNet ends in a convolution to classes, which are then averaged.
    network.classifier = nn.AdaptiveAvgPool2d(1)
    return network


def _transform(preset: Any) -> Transform:
    """Translate torchvision's preset, `ImageClassification`."""
    return Transform(
        resize="crop",
        size=preset.crop_size[0],
        scale=preset.resize_size[0],
        interpolation=preset.interpolation.value,
        mean=tuple(255.0 * share for share in preset.mean),
        std=tuple(255.0 * share for share in preset.std),
    )
