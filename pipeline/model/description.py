"""What a trained model is, apart from its weights; read without torch."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json

FORMAT_VERSION = 3
"""Of docs/model_format.md; raised when a reader of the older format would go wrong."""
DIGEST = "weights_digest"
"""Under this key model.json names its weights, and the towers' ONNX file the model."""
FILE, WEIGHTS, TOWERS = "model.json", "model.safetensors", "towers.onnx"
"""In a model's folder."""
INPUTS = ("image_features", "text_features", "text_words", "text_weights")
"""Of the towers' ONNX graph; the last two for a model whose text features have a sparse part."""
MODALITIES = ("image", "text", "fused")
"""What an item is embedded and classified by: its picture, its text, both."""
EMBEDDINGS = tuple(f"{modality}_embedding" for modality in MODALITIES)
PROBABILITIES = tuple(f"{modality}_probability" for modality in MODALITIES)
OUTPUTS = EMBEDDINGS + PROBABILITIES
"""Of the towers' ONNX graph."""


@dataclass(frozen=True)
class ModelDescription:
    """All of a stored model but its weights."""

    config: dict[str, Any]
    """See `TowersConfig`."""
    fusion: dict[str, Any]
    """See `Fusion`."""
    classes: dict[str, Any]
    """Label kind, separator and the class list in the order of the logits."""
    recipe: dict[str, Any]
    """How image and text features were made, by modality."""
    digest: str
    """SHA-256 of the weights in hexadecimal."""

    @property
    def dimension(self) -> int:
        """D of an embedding."""
        return int(self.config["dim"])


def read_description(folder: Path) -> ModelDescription:
    """Read `model.json` and check that the weights beside it are its own.

    Raises:
        InputError: A file is missing, damaged, of a newer format, or of another model than the
            other file.
    """
    content = read_json(folder / FILE)
    _check_version(folder / FILE, content)
    try:
        with (folder / WEIGHTS).open("rb") as weights:
            found = hashlib.file_digest(weights, "sha256").hexdigest()
        if found != content[DIGEST]:
            raise InputError(
                f"{folder / WEIGHTS}: not the weights that model.json was written "
                "with; a run was cut off, or the files are of different models: train again"
            )
        named = {name: content[name] for name in ("config", "fusion", "classes", "recipe")}
        return ModelDescription(**named, digest=found)
    except (KeyError, TypeError, OSError) as error:
        raise damaged(folder, error) from error


def damaged(folder: Path, error: Exception) -> InputError:
    """Say in one line that a model's files cannot be read."""
    reason = " ".join(str(error).split())[:300]
    return InputError(f"{folder}: damaged model ({reason}); train again")


def _check_version(path: Path, content: Any) -> None:
    version = content.get("format_version") if isinstance(content, dict) else None
    if not isinstance(version, int):
        raise InputError(f"{path}: damaged model (no format version); train again")
    if version != FORMAT_VERSION:
        newer = version > FORMAT_VERSION
        raise InputError(
            f"{path}: format version {version}, this program reads {FORMAT_VERSION}; "
            f"{'update the program' if newer else 'train again'}"
        )
