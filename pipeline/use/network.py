"""The trained towers as ONNX Runtime runs them: a query need not wait for torch.

Shape letters: N items, P items with a picture, M items with a text, D embedding, I image feature,
F text features with the sparse part, K classes, L labels.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime

from pipeline.core.atomic import atomic_path
from pipeline.core.block import Block
from pipeline.core.errors import InputError
from pipeline.features.text_matrix import arrays_of
from pipeline.model.description import (
    DIGEST,
    INPUTS,
    TOWERS,
    ModelDescription,
    damaged,
    read_description,
)

CHUNK_LOGITS = 2**22
"""Probabilities per run and modality: 16 MiB."""
CHUNK = 2048
"""Items per run at most."""


class TowersNetwork:
    """Features -> embeddings and calibrated probabilities, the same as the evaluate stage's."""

    def __init__(
        self, session: onnxruntime.InferenceSession, description: ModelDescription
    ) -> None:
        """Put a graph and what is known of it together; use `load_network`."""
        self._session = session
        config = description.config
        self._sizes = int(config["image_features"]), int(config["text_features"])
        self._sparse = bool(config["text_words"])
        self._chunk = max(1, min(CHUNK, CHUNK_LOGITS // int(config["num_classes"])))

    def __call__(
        self, image_NI: np.ndarray, text_NF: Block, outputs: Sequence[str]
    ) -> Iterator[dict[str, np.ndarray]]:
        """Run all N items, some at a time.

        Args:
            image_NI: [N, I] float32; zeros for an item without a picture, of whose results those
                of the image and the fused ones then mean nothing.
            text_NF: [N, F] as `side_by_side` makes them; zeros for an item without a text.
            outputs: Which of OUTPUTS are wanted.

        Yields:
            The outputs by name for the next items, in their order.
        """
        for start in range(0, len(image_NI), self._chunk):
            part = slice(start, start + self._chunk)
            text = arrays_of(text_NF[part], self._sizes[1])
            given = [image_NI[part], text.dense_NT]
            if self._sparse:
                given += [text.word_NL.astype(np.int64), text.weight_NL]
            found = self._session.run(outputs, dict(zip(INPUTS, given, strict=False)))
            yield dict(zip(outputs, found, strict=True))


def load_network(
    folder: Path, description: ModelDescription, warn: Callable[[str], None]
) -> TowersNetwork:
    """Load the graph that a model has beside its weights.

    A model of an earlier version has none: it is made of the weights then, which takes seconds.

    Args:
        folder: Folder of the model.
        description: What `read_description` says of it.
        warn: Takes one line about a model of an earlier version.

    Raises:
        InputError: The file is damaged or of another model.
    """
    path = folder / TOWERS
    if path.is_file():
        return TowersNetwork(_open(path, folder, description), description)
    warn(f"{folder} has no {TOWERS}, so every start takes seconds to make it; train again")
    from pipeline.model.model_file import load_model
    from pipeline.model.onnx_file import export_onnx

    with TemporaryDirectory() as temporary:
        made = Path(temporary) / TOWERS
        export_onnx(load_model(folder), made)
        return TowersNetwork(_open(made, folder, description), description)


def copy_network(folder: Path, out: Path) -> bool:
    """Copy the graph that a model has beside its weights.

    Args:
        folder: Folder of the model.
        out: The copy.

    Returns:
        Whether there is one; a model of an earlier version has none.

    Raises:
        InputError: It is damaged or of another model, or the copy cannot be written.
    """
    path = folder / TOWERS
    if not path.is_file():
        return False
    _open(path, folder, read_description(folder))
    with atomic_path(out) as temporary:
        shutil.copyfile(path, temporary)
    return True


def _open(path: Path, folder: Path, description: ModelDescription) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # Beside the encoders the towers are nothing, and one thread adds in the same order everywhere.
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    # ONNX Runtime's errors have no base class of their own.
    except Exception as error:
        raise damaged(folder, error) from error
    if session.get_modelmeta().custom_metadata_map.get(DIGEST) != description.digest:
        raise InputError(
            f"{path}: not of the model beside it; a run was cut off, or the files are of "
            "different models: train again"
        )
    return session
