"""Image towers of OpenCLIP."""

from difflib import get_close_matches
from typing import Any

from torch import Tensor, nn

from pipeline.core.errors import InputError
from pipeline.image_features.backbone import Backbone
from pipeline.image_features.backbone_weights import downloading, load_checkpoint, random_weights
from pipeline.image_features.settings import Resize
from pipeline.image_features.transform import Transform

# open_clip's resize modes, and what they are called here.
_RESIZE: dict[str, Resize] = {"shortest": "crop", "squash": "squash", "longest": "pad"}


class _ImageTower(nn.Module):
    """What `encode_image` runs; some towers return their tokens beside the embedding."""

    def __init__(self, visual: nn.Module) -> None:
        super().__init__()
        self.visual = visual

    def forward(self, pixels: Tensor) -> Tensor:
        found = self.visual(pixels)
        return found[0] if isinstance(found, tuple) else found


def load(name: str, layer: str, weights: str) -> Backbone:
    """Load the image tower of a CLIP model.

    Args:
        name: `model/pretrained`, for example `ViT-B-32/laion2b_s34b_b79k`; with weights of the
            user's own the model alone.
        layer: `pooled`: the image embedding as `encode_image` returns it, not normalised.
        weights: `default`: those the name stands for, from the hub (or its cache on this
            machine); `none` or a path (of the whole model).

    Returns:
        The backbone, with the transform of the weights that the name stands for.

    Raises:
        InputError: The name is unknown, has no such layer, or the weights cannot be loaded.
    """
    import open_clip

    model, _, pretrained = name.partition("/")
    _require_known(open_clip, model, pretrained, weights)
    if layer != "pooled":
        raise InputError(
            f"image.layer: got {layer!r}, but open_clip/{name} has no classes; use pooled"
        )
    if weights == "default":
        with downloading(f"open_clip/{name}"):
            network = open_clip.create_model(model, pretrained=pretrained)
    else:
        network = random_weights(lambda: open_clip.create_model(model, load_weights=False))
        if weights != "none":
            load_checkpoint(network, weights)
    config = open_clip.get_pretrained_cfg(model, pretrained)
    return Backbone(_ImageTower(network.visual), _transform(network.visual.image_size, config))


def _require_known(open_clip: Any, model: str, pretrained: str, weights: str) -> None:
    tags = open_clip.list_pretrained_tags_by_model(model)
    if model not in open_clip.list_models():
        close = ", ".join(get_close_matches(model, open_clip.list_models()))
        hint = f"did you mean {close}? " if close else ""
        raise InputError(
            f"image.backbone: open_clip knows no model {model!r}; {hint}"
            'python -c "import open_clip; print(open_clip.list_models())" lists all'
        )
    if pretrained not in tags and (pretrained or weights == "default"):
        raise InputError(
            f"image.backbone: got 'open_clip/{model}/{pretrained}'; {model} has the weights "
            f"{', '.join(tags)}"
        )


def _transform(size: int | tuple[int, int], config: dict[str, Any]) -> Transform:
    from open_clip.transform import PreprocessCfg

    known = {key: config[key] for key in ("mean", "std", "interpolation") if config.get(key)}
    if config.get("resize_mode"):
        known["resize_mode"] = config["resize_mode"]
    preset = PreprocessCfg(**known)
    side = size if isinstance(size, int) else size[0]
    return Transform(
        resize=_RESIZE[preset.resize_mode],
        size=side,
        scale=side,
        interpolation=preset.interpolation,
        mean=tuple(255.0 * share for share in preset.mean),
        std=tuple(255.0 * share for share in preset.std),
        fill=(preset.fill_color,) * 3,
    )
