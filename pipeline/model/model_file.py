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
from pipeline.core.json_file import write_json
from pipeline.core.table import read_metadata
from pipeline.model.description import (
    DIGEST,
    FILE,
    FORMAT_VERSION,
    WEIGHTS,
    damaged,
    read_description,
)
from pipeline.model.fusion import Fusion
from pipeline.model.towers import Towers, TowersConfig


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
    with atomic_path(folder / WEIGHTS) as temporary:
        # safetensors' own save_file makes a file that only its owner may read.
        temporary.write_bytes(weights)
    write_json(
        folder / FILE,
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
    described = read_description(folder)
    try:
        model = Towers(TowersConfig(**described.config))
        model.load_state_dict(load_file(folder / WEIGHTS))
        fusion = Fusion(**described.fusion)
    except (TypeError, RuntimeError, OSError, SafetensorError) as error:
        raise damaged(folder, error) from error
    return StoredModel(model.eval(), fusion, described.classes, described.recipe, described.digest)


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


def _weights(model: Towers) -> bytes:
    return save({name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()})
