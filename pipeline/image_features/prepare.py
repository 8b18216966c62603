"""From parameters to a recipe, with everything in place that extraction needs."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import torch

from pipeline.core.location import Location, RemotePath
from pipeline.image_features.backbones.load import load_backbone
from pipeline.image_features.recipe import Recipe
from pipeline.image_features.runtimes.choose import choose_runtime
from pipeline.image_features.transform import Interpolation, Resize
from pipeline.image_features.vector_store import VectorStore
from pipeline.image_features.versions import decisive_versions


class Prepared(NamedTuple):
    """What `extract` asks for."""

    recipe: Recipe
    store: VectorStore
    graph: Path


class Wishes(NamedTuple):
    """What may differ from what the weights were trained with; None: it does not."""

    resize: Resize | None
    size: int | None
    interpolation: Interpolation | None
    mean: list[float] | None
    std: list[float] | None


def prepare(
    backbone: str,
    *,
    weights: str,
    layer: str,
    wishes: Wishes,
    jpeg: str,
    background: str,
    max_pixels: int,
    runtime: str,
    precision: str,
    device: torch.device,
    cache: Path,
    shared: RemotePath | None = None,
) -> Prepared:
    """Load the backbone once, choose its runtime, and write its ONNX file if that needs one.

    Args:
        backbone: `source/name`.
        weights: `default`, `none` or a path.
        layer: `pooled` or `logits`.
        wishes: Changes to the weights' own transform.
        jpeg: `exact`, or `scaled`: decoded no larger than the transform has a use for.
        background: Colour under transparent pixels, `#rrggbb`.
        max_pixels: Width times height above which a picture is refused.
        runtime: `auto` or a runtime's name.
        precision: `fp32`, `bf16` or `fp16`.
        device: Where the network will run.
        cache: Folder of vectors and ONNX files from earlier runs.
        shared: Where vectors are kept instead, for several machines; `cache` then has copies.

    Returns:
        The recipe, its store, and the place of its ONNX file.

    Raises:
        InputError: The backbone, its weights, the layer or the runtime cannot be had.
    """
    found = load_backbone(backbone, layer, weights)
    digest = found.weights_digest()
    # Normalisation is part of the graph, and so is the side of its input.
    found = found.with_transform(found.transform.changed(**wishes._asdict()))
    shape = f"{backbone} {layer} {digest} {found.transform.to_json()}"
    graph = cache / "graphs" / f"{hashlib.sha256(shape.encode()).hexdigest()[:32]}.onnx"
    settled = choose_runtime(runtime, found, graph, device=device, precision=precision)
    recipe = Recipe(
        backbone=backbone,
        weights=weights,
        weights_digest=digest,
        layer=layer,
        dimension=found.dimension(),
        transform=found.transform,
        jpeg=jpeg,
        background=background,
        max_pixels=max_pixels,
        precision=precision,
        runtime=settled,
        versions=decisive_versions(settled),
    )
    home: Location = cache if shared is None else shared
    name = recipe.fingerprint()
    return Prepared(recipe, VectorStore(home / name, recipe.dimension, cache / name), graph)
