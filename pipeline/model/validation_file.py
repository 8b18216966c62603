"""What a trained model said of its validation items; read without torch.

Shape letters: M validation items, L levels of the class tree.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError
from pipeline.model.description import DIGEST, MODALITIES, damaged

FILE = "validation.safetensors"
"""In a model's folder."""


class Said(NamedTuple):
    """How certain a model is of items by one modality, and how right."""

    confidence_ML: np.ndarray
    """[M, L] float32: probability of the most probable node of each level."""
    right_ML: np.ndarray
    """[M, L] bool: whether the item's class is at or below that node."""


class Validation(NamedTuple):
    """What a model says of validation items."""

    said: dict[str, Said]
    """By modality."""
    group_M: np.ndarray
    """[M] int64: items of one group are right or wrong together."""


def write_validation(folder: Path, found: Validation, digest: str) -> None:
    """Write it beside the model's weights, whose digest it names.

    Raises:
        InputError: The folder cannot be written to.
    """
    arrays = {"group": found.group_M.astype(np.int64)}
    for modality, one in found.said.items():
        arrays[f"{modality}_confidence"] = one.confidence_ML.astype(np.float32)
        arrays[f"{modality}_right"] = one.right_ML.astype(np.uint8)
    with atomic_path(folder / FILE) as temporary:
        temporary.write_bytes(save(arrays, {DIGEST: digest}))


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
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        with safe_open(path, "np") as file:
            noted = (file.metadata() or {}).get(DIGEST)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        said = {
            modality: Said(arrays[f"{modality}_confidence"], arrays[f"{modality}_right"] > 0)
            for modality in MODALITIES
        }
        found = Validation(said, arrays["group"])
    except (KeyError, OSError, SafetensorError) as error:
        raise damaged(folder, error) from error
    if noted != digest:
        raise InputError(f"{path}: of another model than the weights beside it; train again")
    return found
