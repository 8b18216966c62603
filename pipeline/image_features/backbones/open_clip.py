"""Image towers of OpenCLIP."""

from difflib import get_close_matches
from typing import Any, cast

from torch import Tensor, nn

from pipeline.core.clip_name import read_clip_name
from pipeline.core.errors import InputError
from pipeline.image_features.backbone import Backbone
from pipeline.image_features.backbone_weights import downloading, load_checkpoint, random_weights
from pipeline.image_features.settings import Interpolation, Resize
from pipeline.image_features.transform import Transform

# open_clip's resize modes, and what they are called here.
_RESIZE: dict[str, Resize] = {"shortest": "crop", "squash": "squash", "longest": "pad"}
PRESET = ("mean", "std", "interpolation", "resize_mode", "fill_color")
"""What open_clip says of the pictures that weights want."""
INSTEAD = "packaged/efficientnet_lite0"


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
        name: `model/pretrained`, for example `ViT-B-32/laion2b_s34b_b79k`, with weights of the
            user's own the model alone; or a published model, `hf-hub:Marqo/marqo-fashionSigLIP`,
            or a folder laid out like one.
        layer: `pooled`: the image embedding as `encode_image` returns it, not normalised.
        weights: `default`: those the name stands for, from the hub (or its cache on this
            machine) or the folder; `none` or a path (of the whole model).

    Returns:
        The backbone, with the transform of the weights that the name stands for, or where it
        stands for none, that of most weights that open_clip has of the model.

    Raises:
        InputError: The name is unknown, has no such layer, or the weights cannot be loaded.
    """
    import open_clip

    clip, shown = read_clip_name(name), f"image.backbone open_clip/{name}"
    if clip.is_published:
        clip.check(shown, INSTEAD)
    else:
        _require_known(open_clip, *clip, weights)
    if layer != "pooled":
        raise InputError(
            f"image.layer: got {layer!r}, but open_clip/{name} has no classes; use pooled"
        )
    own = weights != "default"

    def make() -> Any:
        return open_clip.create_model(
            clip.model,
            pretrained=None if own else clip.pretrained or None,
            load_weights=not own,
            # Of a published model without its weights open_clip makes random ones.
            require_pretrained=not own,
            pretrained_text=False,
        )

    with downloading(f"open_clip/{name}"):
        network: Any = random_weights(make)
    if own and weights != "none":
        load_checkpoint(network, weights)
    visual = network.visual
    preset = visual.preprocess_cfg if clip.is_published else _preset(open_clip, *clip)
    return Backbone(_ImageTower(visual), _transform(shown, visual.image_size, preset))


def _preset(open_clip: Any, model: str, pretrained: str) -> dict[str, Any]:
    """How the weights of a tag want pictures; without a tag, what most tags of the model want.

    SigLIP's weights want other pictures than OpenAI's, whoever trained them further.
    """
    if pretrained:
        return _wanted(open_clip.get_pretrained_cfg(model, pretrained))
    tags = open_clip.list_pretrained_tags_by_model(model)
    found = [_wanted(open_clip.get_pretrained_cfg(model, tag)) for tag in tags]
    return max(found, key=found.count, default={})


def _wanted(config: dict[str, Any]) -> dict[str, Any]:
    return {key: config[key] for key in PRESET if config.get(key) is not None}


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


def _transform(shown: str, size: int | tuple[int, int], config: dict[str, Any]) -> Transform:
    from open_clip.transform import PreprocessCfg

    preset = PreprocessCfg(**_wanted(config))
    width, height = (size, size) if isinstance(size, int) else size
    if width != height or preset.resize_mode not in _RESIZE:
        raise InputError(
            f"{shown}: pictures of {width} x {height} by {preset.resize_mode} are not supported; "
            "choose another network"
        )
    return Transform(
        resize=_RESIZE[preset.resize_mode],
        size=width,
        scale=width,
        interpolation=cast(Interpolation, preset.interpolation),
        mean=tuple(255.0 * share for share in preset.mean),
        std=tuple(255.0 * share for share in preset.std),
        fill=(preset.fill_color,) * 3,
    )
