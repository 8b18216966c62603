"""What a trained model said of its validation items; read without torch.

Shape letters: M validation items, L levels of the class tree.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.model.arrays_file import read_arrays, write_arrays
from pipeline.model.description import MODALITIES

FILE = "validation.safetensors"
"""In a model's folder."""
CONFIDENCE = {name: f"{name}_confidence" for name in MODALITIES}
RIGHT = {name: f"{name}_right" for name in MODALITIES}
"""Names of the arrays by modality."""


class Said(NamedTuple):
    """How certain a model is of items by one modality, and how right."""

    confidence_ML: np.ndarray
    """[M, L] float32: probability of the most probable node of each level; NaN of an item that
    lacks the modality."""
    right_ML: np.ndarray
    """[M, L] bool: whether the item's class is at or below that node."""


class Validation(NamedTuple):
    """What a model says of validation items."""

    said: dict[str, Said]
    """By modality."""
    group_M: np.ndarray
    """[M] int64: items of one group are right or wrong together."""

    def asked(self, modality: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Confidences, whether they were justified, and groups, of the items that have it."""
        confidence_ML, right_ML = self.said[modality]
        asked_M = ~np.isnan(confidence_ML[:, 0])
        return confidence_ML[asked_M], right_ML[asked_M], self.group_M[asked_M]


def write_validation(folder: Path, found: Validation, digest: str) -> None:
    """Write it beside the model's weights, whose digest it names.

    Raises:
        InputError: The folder cannot be written to.
    """
    arrays = {"group": found.group_M.astype(np.int64)}
    for modality, one in found.said.items():
        arrays[CONFIDENCE[modality]] = one.confidence_ML.astype(np.float32)
        arrays[RIGHT[modality]] = one.right_ML.astype(np.uint8)
    write_arrays(folder / FILE, arrays, digest)


def read_validation(folder: Path, digest: str) -> Validation | None:
    """Read what `write_validation` wrote.

    Args:
        folder: Of the model.
        digest: Of the model's weights.

    Returns:
        What was said; None where the model is of a version that did not keep it.

    Raises:
        InputError: The file is damaged or of another model.
    """
    arrays = read_arrays(folder / FILE, digest, ("group", *CONFIDENCE.values(), *RIGHT.values()))
    if arrays is None:
        return None
    said = {name: Said(arrays[CONFIDENCE[name]], arrays[RIGHT[name]] > 0) for name in MODALITIES}
    return Validation(said, arrays["group"])
