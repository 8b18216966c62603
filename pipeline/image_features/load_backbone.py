"""Look a backbone up by its name `source/name`."""

from pipeline.core.errors import InputError
from pipeline.core.plugins import import_plugin, plugin_names
from pipeline.image_features import backbones
from pipeline.image_features.backbone import Backbone
from pipeline.image_features.recipe import Recipe


def load_backbone(name: str, layer: str, weights: str) -> Backbone:
    """Load a frozen network.

    Args:
        name: `source/name`, the source a file in `backbones/`.
        layer: `pooled`: features before the classifier; `logits`: the classes.
        weights: `default`; `none`: random ones, always the same; or the path of a checkpoint.

    Returns:
        The backbone in evaluation mode on the CPU.

    Raises:
        InputError: The name is unknown or the weights cannot be loaded.
    """
    source, _, rest = name.partition("/")
    if source not in plugin_names(backbones) or not rest:
        known = ", ".join(f"{known}/..." for known in plugin_names(backbones))
        raise InputError(f"image.backbone: got {name!r}; known: {known}")
    backbone: Backbone = import_plugin(backbones, source).load(rest, layer, weights)
    return backbone


def load_same_backbone(recipe: Recipe) -> Backbone:
    """Load the network of a recipe again, with the recipe's transform.

    Raises:
        InputError: The weights cannot be loaded or are others than then.
    """
    backbone = load_backbone(recipe.backbone, recipe.layer, recipe.weights)
    # Vectors of other weights would be taken for comparable, and be wrong without a sign.
    found = backbone.weights_digest()
    if found != recipe.weights_digest:
        raise InputError(
            f"image.backbone {recipe.backbone}: its weights ({recipe.weights}) have digest "
            f"{found[:12]}, the features were made with {recipe.weights_digest[:12]}; put the same "
            "weights back or run image_features again, then train"
        )
    return backbone.with_transform(recipe.transform)
