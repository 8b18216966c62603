"""Both towers and the classifier as one ONNX graph, which needs no torch to run.

Shape letters: N items, I image feature, T text feature, D embedding, K classes, L words of a text.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime import InferenceSession
from torch import Tensor, nn

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError
from pipeline.features.text_input import MixedText, TextInput
from pipeline.model.description import DIGEST, INPUTS, OUTPUTS
from pipeline.model.embed import embed, fuse, predict
from pipeline.model.model_file import StoredModel

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

    def forward(
        self,
        image_NI: Tensor,
        text_NT: Tensor,
        word_NL: Tensor | None = None,
        weight_NL: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        text: TextInput = text_NT
        if word_NL is not None and weight_NL is not None:
            text = MixedText(text_NT, word_NL, weight_NL)
        output = self.model(image_NI, text)
        image_ND, text_ND = output.image_BD, output.text_BD
        return (
            image_ND,
            text_ND,
            fuse(image_ND, text_ND),
            *self.fusion.probabilities(output).values(),
        )


def export_onnx(stored: StoredModel, path: Path) -> float:
    """Write an ONNX file, check it against torch, and return the largest difference.

    Inputs are `image_features` [N, I] and `text_features` [N, T] as the feature tables hold them,
    float32. A model whose text features have a sparse part takes it as `text_words` [N, L] int64
    columns and `text_weights` [N, L] float32 values, 0 where a text has fewer than L. Outputs are
    OUTPUTS: embeddings [N, D] of unit norm and probabilities [N, K] in the order of the class
    list, which the file's metadata holds as `classes`, beside the digest of the weights that the
    graph was made of. N and L are free.

    Raises:
        InputError: The file cannot be written, or the check fails.
    """
    exported = _Exported(stored).eval()
    classes = [entry["name"] for entry in stored.classes["classes"]]
    with atomic_path(path) as temporary:
        _trace(exported, _random_features(stored, 2), temporary)
        proto = onnx.load(temporary)
        properties = {"classes": json.dumps(classes, ensure_ascii=False), DIGEST: stored.digest()}
        onnx.helper.set_model_props(proto, properties)
        for node in proto.graph.node:
            node.doc_string = ""  # stack traces, with paths of this machine
        onnx.save(proto, temporary)
        session = InferenceSession(temporary, providers=["CPUExecutionProvider"])
        difference = _compare(session, stored, _random_features(stored, CHECKED))
        if not difference <= TOLERANCE:
            raise InputError(
                f"{path}: not written: onnxruntime differs from torch by {difference:.1e}, more "
                f"than {TOLERANCE:.0e}"
            )
    return difference


def _trace(exported: _Exported, features: tuple[Tensor, ...], path: Path) -> None:
    names = INPUTS[: len(features)]
    axes = {name: {0: "items"} for name in (*names, *OUTPUTS)}
    for name in names[2:]:
        axes[name][1] = "words"
    with warnings.catch_warnings(), torch.inference_mode():
        # The older exporter needs a second where the newer one needs ten, and another package.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        torch.onnx.export(
            exported,
            features,
            str(path),
            dynamo=False,
            input_names=names,
            output_names=OUTPUTS,
            dynamic_axes=axes,
        )


def _compare(session: InferenceSession, stored: StoredModel, features: tuple[Tensor, ...]) -> float:
    """Largest difference from the model itself, not from what was traced."""
    found = session.run(OUTPUTS, dict(zip(INPUTS, (x.numpy() for x in features), strict=False)))
    image_NI, text_NT, *words = features
    text: TextInput = MixedText(text_NT, *words) if words else text_NT
    points = embed(stored.model, image_NI, text)
    _, probabilities = next(predict(stored, points["image"], points["text"]))
    wanted = [*points.values(), *(one.label_BL for one in probabilities.values())]
    return max(
        float(np.abs(one - other.numpy()).max()) for one, other in zip(found, wanted, strict=True)
    )


def _random_features(stored: StoredModel, count: int) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    config = stored.model.config
    image_NI = torch.randn(count, config.image_features, generator=generator)
    text_NT = torch.randn(count, config.text_features, generator=generator)
    if not config.text_words:
        return image_NI, text_NT
    shape = (count, 3 + count % 5)
    word_NL = torch.randint(config.text_words, shape, generator=generator)
    return image_NI, text_NT, word_NL, torch.rand(shape, generator=generator)
