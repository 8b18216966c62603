"""Make a recipe's network ready to run; imports torch only where torch runs it."""

from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.core.location import Location
from pipeline.image_features.recipe import Recipe
from pipeline.image_features.runtimes.onnxruntime import OnnxRunner
from pipeline.image_features.runtimes.openvino import OpenVinoRunner
from pipeline.image_features.runtimes.runner import Runner

CPU_BATCH = 8
"""Larger ones are slower on a CPU: what a layer leaves behind has to fit into the cache."""


def open_runner(
    recipe: Recipe,
    onnx_file: Location | None,
    device: str,
    batch_size: int | None,
    *,
    threads: int = 1,
) -> Runner:
    """Make the network of a recipe ready.

    Args:
        recipe: What to run; its runtime is settled.
        onnx_file: The ONNX file; None for torch.
        device: Where to run: `cpu` or `cuda`.
        batch_size: Pictures per forward pass; None: what suits the device.
        threads: Threads that will submit batches, each taking a core; torch spreads a batch over as
            many as it is set to.

    Raises:
        InputError: The ONNX file is not there, or the weights are gone or not the recipe's.
    """
    if recipe.runtime != "torch":
        assert onnx_file is not None, "the other runtimes run a file"
        if not onnx_file.exists():
            raise InputError(
                f"image_features: {onnx_file} is not on this machine; set machine.vector_store to "
                "a place that every machine reaches, or image.runtime to torch"
            )
        model = onnx_file if isinstance(onnx_file, Path) else onnx_file.read_bytes()
        if recipe.runtime == "onnxruntime":
            return OnnxRunner(model, batch_size or CPU_BATCH, threads)
        return OpenVinoRunner(model, batch_size or CPU_BATCH, recipe.precision, threads)
    from pipeline.image_features.load_backbone import load_same_backbone
    from pipeline.image_features.runtimes.torch import TorchRunner

    if device == "cpu":
        batch_size = batch_size or CPU_BATCH
    return TorchRunner(load_same_backbone(recipe), device, recipe.precision, batch_size)
