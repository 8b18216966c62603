"""A pretrained encoder on disk: its settings, and a digest of the model that they name.

The model itself stays where it is: in a package, a folder or the hub's cache.
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
SPEED = {"batch_size": 32, "device": "auto"}
"""Settings that are not stored, as they do not change what is made, with what takes their place:
a model made on a GPU is used where there is none."""
RECIPE = ("*.json", "*.txt", "*.model")
"""Files of a model's folder that say what it does with its weights: tokenizer, pooling, prompts."""


def weights_digest(model: nn.Module) -> str:
    """Digest a model's weights.

    Args:
        model: On any device.

    Returns:
        64 hexadecimal digits.
    """
    return tensors_digest(model.state_dict())


def model_digest(weights: str, place: str | None, version: str = "") -> str:
    """Digest all that decides a model's features.

    Args:
        weights: From `weights_digest`.
        place: Where the model is: of a folder, the small files count too; a name on the hub, or
            None.
        version: What else there is to tell models with the same weights apart, such as the hub's
            commit.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256(f"{weights} {version}".encode())
    if place is not None:
        folder = Path(place)
        for path in sorted(path for pattern in RECIPE for path in folder.rglob(pattern)):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(folder).as_posix()} {content}".encode())
    return digest.hexdigest()


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


def save_settings(folder: Path, settings: dict[str, Any], model: str) -> None:
    """Write what a pretrained encoder is made from.

    Args:
        folder: Created if missing.
        settings: Keywords of the encoder.
        model: From `model_digest`.

    Raises:
        InputError: The folder cannot be written to.
    """
    made_by = {key: value for key, value in settings.items() if key not in SPEED}
    write_json(folder / FILE, {"settings": made_by, "model_digest": model})


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
        return {**SPEED, **stored["settings"]}, str(stored["model_digest"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder / FILE}: not the settings of a text encoder") from error


def check_model(folder: Path, name: str, found: str, stored: str) -> None:
    """Check that a model's name still stands for the same model.

    Args:
        folder: Where the encoder is stored, for the message.
        name: The model.
        found: Its digest now.
        stored: Its digest when it was stored.

    Raises:
        InputError: They differ, so its features would be others than those trained on.
    """
    if found != stored:
        raise InputError(
            f"{folder}: text model {name} is not the one that this was made with (other weights, "
            "tokenizer or settings); put the old one back, or make the features again with "
            "dvc repro --force text_block"
        )
