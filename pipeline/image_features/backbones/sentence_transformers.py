"""The image side of multimodal models of sentence-transformers, such as CLIP or SigLIP."""

from typing import Any, cast

from PIL import Image
from torch import Tensor, nn

from pipeline.core.errors import InputError
from pipeline.core.published_model import CONFIGURATIONS, locate_published, offline_copy
from pipeline.image_features.backbone import Backbone
from pipeline.image_features.backbone_weights import downloading, load_checkpoint
from pipeline.image_features.settings import Interpolation
from pipeline.image_features.transform import Transform

INSTEAD = "packaged/efficientnet_lite0"


class _ImageSide(nn.Module):
    """What `encode` runs of pictures that are made ready, all modules after the first included."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        found: Tensor = self.model({"pixel_values": pixels, "modality": "image"})[
            "sentence_embedding"
        ]
        return found


def load(name: str, layer: str, weights: str) -> Backbone:
    """Load a model of sentence-transformers that embeds pictures.

    Args:
        name: A folder, or a name on the Hugging Face hub: `sentence-transformers/clip-ViT-B-32`.
        layer: `pooled`: the embedding as `encode` returns it.
        weights: `default`: from the folder, the hub or its cache on this machine; or the path of
            a checkpoint (of the whole model).

    Returns:
        The backbone, with the transform that the model's own processor describes.

    Raises:
        InputError: The model is not there, knows no pictures, has no such layer, or makes pictures
            ready in a way that is not known here.
    """
    chosen = f"sentence_transformers/{name}"
    shown = f"image.backbone {chosen}"
    if layer != "pooled":
        raise InputError(f"image.layer: got {layer!r}, but {chosen} has no classes; use pooled")
    if weights == "none":
        raise InputError(f"image.weights: got none, but {chosen} has its own; use default")
    place = locate_published(name, CONFIGURATIONS, what=shown, instead=INSTEAD)
    if place == name and (copy := offline_copy(name, CONFIGURATIONS)) is not None:
        place = str(copy)
    from sentence_transformers import SentenceTransformer

    with downloading(chosen):
        model = SentenceTransformer(place, device="cpu")
    first: Any = model[0]
    if "image" not in getattr(first, "modalities", ()):
        raise InputError(f"{shown}: the model embeds no pictures; choose a multimodal one")
    if weights != "default":
        load_checkpoint(model, weights)
    return Backbone(_ImageSide(model), _transform(shown, first.processor))


def _transform(shown: str, processor: Any) -> Transform:
    """Translate a Hugging Face image processor, or the one within a processor of several kinds."""
    preset = getattr(processor, "image_processor", processor)
    size, crop = _sides(preset.size), _sides(getattr(preset, "crop_size", None))
    crops = bool(getattr(preset, "do_center_crop", None))
    short = size.get("shortest_edge")
    side = crop.get("height") if crops else size.get("height")
    square = side is not None and side == (crop if crops else size).get("width")
    # Both: to one length, then the middle; neither: to a square, however long it was.
    known = square and (short is not None if crops else short is None)
    if not (known and preset.do_resize and preset.do_normalize):
        raise InputError(
            f"{shown}: how its processor makes pictures ready (size {size}, crop {crop}) is not "
            "known here; choose another model"
        )
    assert side is not None, "it is square"
    return Transform(
        resize="crop" if crops else "squash",
        size=side,
        scale=short or side,
        interpolation=cast(Interpolation, Image.Resampling(preset.resample).name.lower()),
        mean=tuple(share / preset.rescale_factor for share in preset.image_mean),
        std=tuple(share / preset.rescale_factor for share in preset.image_std),
    )


def _sides(size: Any) -> dict[str, int]:
    """A processor's `size`, of which versions make dictionaries or records."""
    named = {key: getattr(size, key, None) for key in ("height", "width", "shortest_edge")}
    named |= dict(size) if isinstance(size, dict) else {}
    return {key: int(value) for key, value in named.items() if value is not None}
