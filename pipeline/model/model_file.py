"""A trained model on disk: weights as safetensors, all the rest as one JSON file."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json, write_json
from pipeline.core.table import read_metadata
from pipeline.model.fusion import Fusion
from pipeline.model.towers import Towers, TowersConfig

FORMAT_VERSION = 3
"""Of docs/model_format.md; raised when a reader of the older format would go wrong."""


DIGEST = "weights_digest"
"""Under this key model.json names its weights."""


@dataclass(frozen=True)
class StoredModel:
    """A model with what is needed to use it on new items."""

    model: Towers
    fusion: Fusion
    classes: dict[str, Any]
    """Label kind, separator and the class list in the order of the logits."""
    recipe: dict[str, Any]
    """How image and text features were made, by modality."""
    noted_digest: str | None = None
    """What `digest` returns, where `model.json` has it."""

    def digest(self) -> str:
        """SHA-256 of `model.safetensors`, which tells what was made with this very model."""
        return self.noted_digest or hashlib.sha256(_weights(self.model)).hexdigest()


def save_model(folder: Path, stored: StoredModel) -> None:
    """Write `model.safetensors` and `model.json`.

    Raises:
        InputError: The folder cannot be written to.
    """
    weights = _weights(stored.model)
    with atomic_path(folder / "model.safetensors") as temporary:
        # safetensors' own save_file makes a file that only its owner may read.
        temporary.write_bytes(weights)
    write_json(
        folder / "model.json",
        {
            "format_version": FORMAT_VERSION,
            DIGEST: hashlib.sha256(weights).hexdigest(),
            "config": asdict(stored.model.config),
            "fusion": asdict(stored.fusion),
            "recipe": stored.recipe,
            "classes": stored.classes,
        },
    )


def load_model(folder: Path) -> StoredModel:
    """Read what `save_model` wrote; the model is in evaluation mode on the CPU.

    Raises:
        InputError: A file is missing, damaged, of a newer format, or of another model than the
            other file.
    """
    description = read_json(folder / "model.json")
    _check_version(folder / "model.json", description)
    try:
        digest = description[DIGEST]
        if _file_digest(folder / "model.safetensors") != digest:
            raise InputError(
                f"{folder / 'model.safetensors'}: not the weights that model.json was written "
                "with; a run was cut off, or the files are of different models: train again"
            )
        model = Towers(TowersConfig(**description["config"]))
        model.load_state_dict(load_file(folder / "model.safetensors"))
        fusion = Fusion(**description["fusion"])
        classes, recipe = description["classes"], description["recipe"]
    except (KeyError, TypeError, RuntimeError, OSError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"{folder}: damaged model ({reason}); train again") from error
    return StoredModel(model.eval(), fusion, classes, recipe, digest)


def check_features(noted: Mapping[str, str], features: Path, stage: str) -> None:
    """Check that a feature table was made as the one that a stage has worked with.

    Another backbone may give vectors of the same length, of which the towers make nonsense.

    Args:
        noted: What the stage noted of its table: the `recipe` of a model by modality.
        features: The Parquet file, which says what made it.
        stage: For the message.

    Raises:
        InputError: The file is missing, or was made otherwise; the first difference is named.
    """
    found = read_metadata(features)
    for key in sorted(noted.keys() | found.keys()):
        if found.get(key) != noted.get(key):
            raise InputError(
                f"{features}: {key} is {found.get(key)}, stage {stage} worked with "
                f"{noted.get(key)}; run stage {stage} again"
            )


def _check_version(path: Path, description: Any) -> None:
    version = description.get("format_version") if isinstance(description, dict) else None
    if not isinstance(version, int):
        raise InputError(f"{path}: damaged model (no format version); train again")
    if version != FORMAT_VERSION:
        newer = version > FORMAT_VERSION
        raise InputError(
            f"{path}: format version {version}, this program reads {FORMAT_VERSION}; "
            f"{'update the program' if newer else 'train again'}"
        )


def _weights(model: Towers) -> bytes:
    return save({name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()})


def _file_digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
