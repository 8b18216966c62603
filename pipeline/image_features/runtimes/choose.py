"""Choose a runtime for a backbone."""

import importlib.util
from contextlib import suppress
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.image_features.backbone import Backbone
from pipeline.image_features.runtimes import RUNTIMES
from pipeline.image_features.runtimes.onnx_export import ExportError, check_onnx, export_onnx


def choose_runtime(
    wanted: str, backbone: Backbone, onnx_file: Path, *, device: str, precision: str
) -> str:
    """Settle `auto`, and make the ONNX file where the runtime needs one.

    Args:
        wanted: `auto`: the fastest that gives torch's numbers; or a runtime's name.
        backbone: The network, in float32 on the CPU.
        onnx_file: Where its ONNX file is, or is to be.
        device: Where it will run: `cpu` or `cuda`.
        precision: `fp32`, `bf16` or `fp16`.

    Raises:
        InputError: The runtime is missing, cannot do what is asked, or does not know the network.
    """
    able = RUNTIMES.get((device, precision), [])
    if not able:
        raise InputError(f"image.precision: {precision} is not for {device}; use fp32 or bf16")
    if wanted != "auto" and wanted not in able:
        raise InputError(
            f"image.runtime: {wanted} does not compute {precision} on {device}; "
            f"use {' or '.join(able)}"
        )
    for name in able if wanted == "auto" else [wanted]:
        if importlib.util.find_spec(name) is None:
            if wanted == "auto":
                continue
            raise InputError(f"image.runtime: package {name} is missing; pip install {name}")
        if name == "torch":
            return name
        try:
            _require_onnx_file(backbone, onnx_file)
        except ExportError as error:
            if wanted == "auto":
                continue
            raise InputError(
                f"image.runtime: {name} cannot run this backbone ({error}); use torch"
            ) from error
        return name
    raise AssertionError("torch is always there")


def _require_onnx_file(backbone: Backbone, onnx_file: Path) -> None:
    """Keep the file of an earlier run if it still gives the right vectors, else write it."""
    if onnx_file.is_file():
        with suppress(ExportError):
            check_onnx(backbone, onnx_file)
            return
    export_onnx(backbone, onnx_file)
