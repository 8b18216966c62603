"""From settings to a recipe, with everything in place that extraction needs."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from pipeline.core.location import Location
from pipeline.core.vector_store import VectorStore
from pipeline.image_features.known_network import KnownNetwork, know_network
from pipeline.image_features.recipe import Recipe
from pipeline.image_features.settings import ImageSettings
from pipeline.image_features.versions import decisive_versions


class RecipeFiles(NamedTuple):
    """A recipe and what belongs to it on disk."""

    recipe: Recipe
    store: VectorStore
    onnx_file: Path
    """The network as ONNX file, for runtimes other than torch."""


def make_recipe(
    settings: ImageSettings, device: str, cache: Path, shared: Location | None = None
) -> RecipeFiles:
    """Find out what the network is, and write its ONNX file where its runtime needs one.

    It is loaded for that, unless an earlier run on a CPU has noted what it is.

    Args:
        settings: Section `image`.
        device: Where the network will run: `cpu` or `cuda`.
        cache: Folder of vectors and ONNX files from earlier runs.
        shared: Where vectors are stored instead, perhaps for several machines: what the user chose.
            Of vectors on another filesystem, `cache` then has copies.

    Raises:
        InputError: The backbone, its weights, the layer or the runtime cannot be had.
    """
    graphs = cache / "graphs"
    known = know_network(settings, device, graphs, lambda: _load(settings, device, graphs))
    recipe = Recipe(
        backbone=settings.backbone,
        weights=settings.weights,
        weights_digest=known.weights_digest,
        layer=settings.layer,
        dimension=known.dimension,
        transform=known.transform,
        jpeg=settings.jpeg,
        background=settings.background,
        max_pixels=settings.max_pixels,
        precision=settings.precision,
        runtime=known.runtime,
        versions=decisive_versions(known.runtime),
    )
    home: Location = cache if shared is None else shared
    folder = recipe.fingerprint()
    name = f"{recipe.backbone} {recipe.layer} {recipe.transform.size} px {recipe.runtime}"
    store = VectorStore(home / folder, name, cache / folder, shared=shared is not None)
    return RecipeFiles(recipe, store, known.onnx_file)


def _load(settings: ImageSettings, device: str, graphs: Path) -> KnownNetwork:
    """Load the backbone, choose its runtime, and write its ONNX file if that needs one."""
    from pipeline.image_features.load_backbone import load_backbone
    from pipeline.image_features.runtimes.choose import choose_runtime

    found = load_backbone(settings.backbone, settings.layer, settings.weights)
    # By content: `default` may stand for other weights after an update of the library.
    digest = found.weights_digest()
    # Normalisation is part of the ONNX file, and so is the side of its input.
    changes = settings.model_dump(include={"resize", "size", "interpolation", "mean", "std"})
    found = found.with_transform(found.transform.changed(**changes))
    shape = f"{settings.backbone} {settings.layer} {digest} {found.transform.to_json()}"
    onnx_file = graphs / f"{hashlib.sha256(shape.encode()).hexdigest()[:32]}.onnx"
    runtime = choose_runtime(
        settings.runtime, found, onnx_file, device=device, precision=settings.precision
    )
    return KnownNetwork(digest, found.dimension(), found.transform, runtime, onnx_file)
