"""The backbone with its normalisation as one graph, and that graph as an ONNX file.

Shape letters: B batch, S side of the input, I image feature.
"""

import logging
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.core.atomic import atomic_path
from pipeline.image_features.backbone import Backbone
from pipeline.image_features.backbone_weights import short


class ExportError(Exception):
    """A backbone cannot be turned into an ONNX graph that gives the same vectors."""


class PixelsToVectors(nn.Module):
    """Bytes in, vectors out: normalising here moves a quarter of the bytes that floats would."""

    mean: Tensor
    std: Tensor

    def __init__(self, backbone: Backbone, dtype: torch.dtype = torch.float32) -> None:
        """Wrap a backbone, whose module is cast in place to what the network computes in."""
        super().__init__()
        self.module = backbone.module.to(dtype)
        self.dtype = dtype
        self.register_buffer("mean", torch.tensor(backbone.transform.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(backbone.transform.std).view(1, 3, 1, 1))

    def forward(self, pixels_BSS3: Tensor) -> Tensor:
        """[B, S, S, 3] uint8 -> [B, I] float32."""
        pixels = pixels_BSS3.permute(0, 3, 1, 2).float()
        return self.module(((pixels - self.mean) / self.std).to(self.dtype)).float()


def export_onnx(backbone: Backbone, path: Path) -> None:
    """Write the graph and check that ONNX Runtime gives the vectors that torch gives.

    Raises:
        ExportError: The exporter does not know an operation, or the vectors differ.
        InputError: The folder cannot be written to.
    """
    network = PixelsToVectors(backbone).eval()
    pixels = _noise(backbone)
    fast_attention = torch.backends.mha.get_fastpath_enabled()
    # Transformers' fused operation exists in no ONNX version.
    torch.backends.mha.set_fastpath_enabled(False)
    logging.disable(logging.WARNING)
    try:
        with atomic_path(path) as temporary, warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")
            # The older exporter needs a second where the newer one needs ten.
            torch.onnx.export(
                network,
                (pixels,),
                str(temporary),
                dynamo=False,
                input_names=["pixels"],
                output_names=["vector"],
                dynamic_axes={"pixels": {0: "batch"}, "vector": {0: "batch"}},
            )
            check_onnx(backbone, temporary)
    except (RuntimeError, ValueError, TypeError, AttributeError, NotImplementedError) as error:
        raise ExportError(short(error)) from error
    finally:
        logging.disable(logging.NOTSET)
        torch.backends.mha.set_fastpath_enabled(fast_attention)


def check_onnx(backbone: Backbone, path: Path) -> None:
    """Compare the vectors that ONNX Runtime makes of two pictures with torch's.

    Raises:
        ExportError: The file is damaged, holds an unknown operation, or the vectors differ.
    """
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as errors

    refusals = tuple(getattr(errors, name) for name in _REFUSALS)
    pixels = _noise(backbone)
    with torch.inference_mode():
        expected_BI = PixelsToVectors(backbone).eval()(pixels).numpy()
    try:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        found_BI = session.run(None, {"pixels": pixels.numpy()})[0]
    except refusals as error:
        raise ExportError(short(error)) from error
    worst = np.abs(found_BI - expected_BI).max()
    if not worst <= 1e-4 * max(1.0, np.abs(expected_BI).max()):
        raise ExportError(f"vectors differ by {worst}")


# They have no base class of their own.
_REFUSALS = (
    "EPFail",
    "Fail",
    "InvalidArgument",
    "InvalidGraph",
    "InvalidProtobuf",
    "NoSuchFile",
    "NotImplemented",
    "RuntimeException",
)


def _noise(backbone: Backbone) -> Tensor:
    side = backbone.transform.size
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (2, side, side, 3), dtype=torch.uint8, generator=generator)
