"""Networks of timm (PyTorch Image Models)."""

import math
from typing import Any

from pipeline.core.errors import InputError
from pipeline.image_features.backbone import Backbone
from pipeline.image_features.backbone_weights import downloading, load_checkpoint, random_weights
from pipeline.image_features.settings import Resize
from pipeline.image_features.transform import Transform

# timm's crop modes, and what they are called here.
_RESIZE: dict[str, Resize] = {"center": "crop", "squash": "squash", "border": "pad"}


def load(name: str, layer: str, weights: str) -> Backbone:
    """Load a network of timm.

    Args:
        name: As `timm.list_models` has it, perhaps with a tag: `resnet18.a1_in1k`.
        layer: `pooled`: timm's own features before the classifier; `logits`.
        weights: `default`: from the hub (or its cache on this machine); `none` or a path.

    Returns:
        The backbone, with the transform of the weights that the name stands for.

    Raises:
        InputError: The package is missing, the name is unknown, or the weights cannot be loaded.
    """
    try:
        import timm
    except ModuleNotFoundError as error:
        raise InputError(
            f"image.backbone timm/{name}: package timm is missing; pip install timm"
        ) from error
    if not timm.is_model(name):
        close = timm.list_models(f"*{name.split('.')[0]}*")[:5]
        hint = f"did you mean {', '.join(close)}?" if close else "see timm.list_models()"
        raise InputError(f"image.backbone: got 'timm/{name}', which timm does not know; {hint}")
    if weights == "default":
        with downloading(f"timm/{name}"):
            network = timm.create_model(name, pretrained=True)
    else:
        network = random_weights(lambda: timm.create_model(name, pretrained=False))
        if weights != "none":
            load_checkpoint(network, weights)
    config = timm.data.resolve_model_data_config(network)
    if layer == "pooled":
        network.reset_classifier(0)  # type: ignore[operator]
    return Backbone(network, _transform(f"timm/{name}", config))


def _transform(backbone: str, config: dict[str, Any]) -> Transform:
    _, height, width = config["input_size"]
    if height != width or config["crop_mode"] not in _RESIZE:
        raise InputError(
            f"image.backbone {backbone}: input {height} x {width} with crop mode "
            f"{config['crop_mode']} is not supported; choose another network"
        )
    red, green, blue = (255.0 * share for share in config["mean"])
    return Transform(
        resize=_RESIZE[config["crop_mode"]],
        size=width,
        scale=math.floor(width / config["crop_pct"]),
        interpolation=config["interpolation"],
        mean=(red, green, blue),
        std=tuple(255.0 * share for share in config["std"]),
        fill=(round(red), round(green), round(blue)),
    )
