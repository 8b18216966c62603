"""What a trained model is, apart from its weights; read without torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired

from typing_extensions import TypedDict

from pipeline.core.errors import InputError
from pipeline.core.file_digest import file_digest
from pipeline.core.json_file import read_json_as
from pipeline.features.classes import Classes

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


class _Config(TypedDict):
    """See `TowersConfig`, whose defaults need not be there."""

    image_features: int
    text_features: int
    text_words: int
    num_classes: int
    dim: int
    image_layers: int
    text_layers: int
    width: int
    dropout: float
    logit_scale: str
    classifier: str
    fusion: str
    residual: NotRequired[bool]
    input_dropout: NotRequired[float]


class _Fusion(TypedDict):
    """See `Fusion`, whose defaults need not be there."""

    image_weight: float
    image_temperature: float
    text_temperature: float
    fused_temperature: float
    rule: NotRequired[str]
    multi_label: NotRequired[bool]


class _Recipe(TypedDict):
    image: dict[str, str]
    text: dict[str, str]


class ModelFile(TypedDict):
    """Content of model.json; see docs/model_format.md."""

    format_version: int
    weights_digest: str
    config: _Config
    fusion: _Fusion
    classes: Classes
    recipe: _Recipe


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


def read_model_file(folder: Path) -> ModelFile:
    """Read `model.json` alone.

    Raises:
        InputError: It is missing or damaged, or of another format.
    """
    return read_json_as(folder / FILE, ModelFile, "train again", version=FORMAT_VERSION)


def read_description(folder: Path) -> ModelDescription:
    """Read `model.json` and check that the weights beside it are its own.

    Raises:
        InputError: A file is missing, damaged, of a newer format, or of another model than the
            other file.
    """
    content: dict[str, Any] = {**read_model_file(folder)}
    try:
        found = file_digest(folder / WEIGHTS)
        if found != content[DIGEST]:
            raise InputError(
                f"{folder / WEIGHTS}: not the weights that model.json was written "
                "with; a run was cut off, or the files are of different models: train again"
            )
        named = {name: content[name] for name in ("config", "fusion", "classes", "recipe")}
        return ModelDescription(**named, digest=found)
    except OSError as error:
        raise damaged(folder, error) from error


def damaged(folder: Path, error: Exception) -> InputError:
    """Say in one line that a model's files cannot be read."""
    reason = " ".join(str(error).split())[:300]
    return InputError(f"{folder}: damaged model ({reason}); train again")
