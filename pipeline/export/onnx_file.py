"""Both towers and the classifier as one ONNX graph.

Shape letters: N items, I image feature, T text feature, D embedding, K classes.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime import InferenceSession
from torch import Tensor, nn
from torch.nn import functional

from pipeline.errors import InputError
from pipeline.files.atomic import atomic_path
from pipeline.models.store import StoredModel

INPUTS = ("image_features", "text_features")
OUTPUTS = (
    "image_embedding",
    "text_embedding",
    "fused_embedding",
    "image_probability",
    "text_probability",
    "fused_probability",
)
TOLERANCE = 1e-4
"""Largest difference from torch that is put down to another order of sums."""
CHECKED = 33
"""Items that the exported graph is checked on; not the number that it was traced with."""


class _Exported(nn.Module):
    """Stored features -> embeddings and calibrated probabilities."""

    def __init__(self, stored: StoredModel) -> None:
        super().__init__()
        self.model = stored.model
        self.fusion = stored.fusion

    def forward(self, image_NI: Tensor, text_NT: Tensor) -> tuple[Tensor, ...]:
        output = self.model(image_NI, text_NT)
        fused_ND = functional.normalize(output.image_BD + output.text_BD, dim=1)
        probabilities = self.fusion.probabilities(output)
        return (output.image_BD, output.text_BD, fused_ND, *probabilities.values())


def export_onnx(stored: StoredModel, path: Path) -> float:
    """Write an ONNX file and check it against torch.

    Inputs are `image_features` [N, I] and `text_features` [N, T] as the feature tables hold them,
    float32; outputs are OUTPUTS: embeddings [N, D] of unit norm and probabilities [N, K] in the
    order of the class list, which the file's metadata holds as `classes`. N is free.

    Args:
        stored: The trained model.
        path: The file.

    Returns:
        Largest difference from torch on random features.

    Raises:
        InputError: The file cannot be written, or the check fails.
    """
    exported = _Exported(stored).eval()
    classes = [entry["name"] for entry in stored.classes["classes"]]
    with atomic_path(path) as temporary:
        _trace(exported, _random_features(stored, 2), temporary)
        proto = onnx.load(temporary)
        onnx.helper.set_model_props(proto, {"classes": json.dumps(classes, ensure_ascii=False)})
        for node in proto.graph.node:
            node.doc_string = ""  # stack traces, with paths of this machine
        onnx.save(proto, temporary)
        session = InferenceSession(temporary, providers=["CPUExecutionProvider"])
        difference = _compare(session, exported, _random_features(stored, CHECKED))
        if not difference <= TOLERANCE:
            raise InputError(
                f"{path}: not written: onnxruntime differs from torch by {difference:.1e}, more "
                f"than {TOLERANCE:.0e}"
            )
    return difference


def _trace(exported: _Exported, features: tuple[Tensor, ...], path: Path) -> None:
    with warnings.catch_warnings(), torch.inference_mode():
        # The older exporter needs a second where the newer one needs ten, and another package.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        torch.onnx.export(
            exported,
            features,
            str(path),
            dynamo=False,
            input_names=INPUTS,
            output_names=OUTPUTS,
            dynamic_axes={name: {0: "items"} for name in (*INPUTS, *OUTPUTS)},
        )


def _compare(session: InferenceSession, exported: _Exported, features: tuple[Tensor, ...]) -> float:
    given = {name: feature.numpy() for name, feature in zip(INPUTS, features, strict=True)}
    found = session.run(OUTPUTS, given)
    with torch.inference_mode():
        wanted = [tensor.numpy() for tensor in exported(*features)]
    return max(float(np.abs(one - other).max()) for one, other in zip(found, wanted, strict=True))


def _random_features(stored: StoredModel, count: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    config = stored.model.config
    return (
        torch.randn(count, config.image_features, generator=generator),
        torch.randn(count, config.text_features, generator=generator),
    )
