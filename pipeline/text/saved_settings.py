"""A pretrained encoder on disk: its settings, and a digest of the weights that they name.

The weights themselves stay where they are: in a package, a folder or the hub's cache.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.errors import InputError
from pipeline.files.json_file import read_json, write_json

FILE = "encoder.json"


def weights_digest(model: nn.Module) -> str:
    """Digest a model's weights.

    Args:
        model: On any device.

    Returns:
        64 hexadecimal digits.
    """
    return tensors_digest(model.state_dict())


def tensors_digest(tensors: Mapping[str, Tensor]) -> str:
    """Digest weights by name.

    Args:
        tensors: On any device.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def save_settings(folder: Path, settings: dict[str, Any], weights: str) -> None:
    """Write what a pretrained encoder is made from.

    Args:
        folder: Created if missing.
        settings: Keywords of the encoder.
        weights: From `weights_digest`.

    Raises:
        InputError: The folder cannot be written to.
    """
    write_json(folder / FILE, {"settings": settings, "weights": weights})


def load_settings(folder: Path) -> tuple[dict[str, Any], str]:
    """Read what `save_settings` wrote.

    Args:
        folder: The folder given to it.

    Returns:
        Settings and the digest.

    Raises:
        InputError: The file is missing or damaged.
    """
    stored = read_json(folder / FILE)
    try:
        return dict(stored["settings"]), str(stored["weights"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder / FILE}: not the settings of a text encoder") from error


def check_weights(folder: Path, name: str, found: str, stored: str) -> None:
    """Check that a model's name still stands for the same weights.

    Args:
        folder: Where the encoder is stored, for the message.
        name: The model.
        found: Digest of its weights now.
        stored: Digest when it was stored.

    Raises:
        InputError: They differ, so its features would be others than those trained on.
    """
    if found != stored:
        raise InputError(
            f"{folder}: text model {name} now has other weights than when this was made; put the "
            "old ones back, or run the pipeline again"
        )
