"""A pretrained encoder on disk: its settings, and a digest of the model that they name.

The model itself stays where it is: in a package, a folder or the hub's cache.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json, write_json

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


class PretrainedEncoder:
    """A text encoder that is stored as its settings and a digest of the model that they name."""

    FORMAT: ClassVar[str]
    """Raised when a change of the encoder's code gives texts other features, which makes those
    that are kept void."""
    OF_CHOICE: ClassVar[tuple[str, ...]] = ()
    """Settings that only decide what the model gets to see of a text."""
    _settings: dict[str, Any]
    """Keywords that it was made with."""
    _digest: str
    """From `model_digest`."""
    _autocast: torch.dtype | None
    """Type of the matrix products; None is float32."""

    @property
    def fingerprint(self) -> str:
        """See `TextEncoder.fingerprint`."""
        # The digest says what the model is, and the type what the precision is on this machine.
        apart = {"model", "precision", *SPEED, *self.OF_CHOICE}
        made_by = {key: value for key, value in self._settings.items() if key not in apart}
        return f"{type(self).__name__} {self.FORMAT} {self._digest} {self._autocast} {made_by}"

    def seen(self, texts: Sequence[str]) -> list[bytes]:
        """See `TextEncoder.seen`; all of a text, unless an encoder says otherwise."""
        return [text.encode() for text in texts]

    @classmethod
    def fit(cls, texts: Sequence[str], train_texts: Sequence[str], **settings: Any) -> Self:
        """See `TextEncoder.fit`; there is nothing to fit unless an encoder says so."""
        return cls(**settings)

    def save(self, folder: Path) -> None:
        """Write `encoder.json`; the weights stay where `model` says.

        Args:
            folder: Created if missing.

        Raises:
            InputError: The folder cannot be written to.
        """
        made_by = {key: value for key, value in self._settings.items() if key not in SPEED}
        write_json(folder / FILE, {"settings": made_by, "model_digest": self._digest})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote and load the model again.

        Args:
            folder: The folder given to `save`.

        Returns:
            The encoder.

        Raises:
            InputError: A file is missing or damaged, the model cannot be loaded, or its name
                stands for another one now: features would be others than those trained on.
        """
        stored = read_json(folder / FILE)
        try:
            settings, digest = {**SPEED, **stored["settings"]}, str(stored["model_digest"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{folder / FILE}: not the settings of a text encoder") from error
        encoder = cls._reopen(folder, settings, digest)
        if encoder._digest != digest:
            raise InputError(
                f"{folder}: text model {settings['model']} is not the one that this was made with "
                "(other weights, tokenizer or settings); put the old one back, or make the "
                "features again with dvc repro --force text_block"
            )
        return encoder

    @classmethod
    def _reopen(cls, folder: Path, settings: dict[str, Any], digest: str) -> Self:
        """Make the encoder of stored settings; for what more than these is to be read."""
        return cls(**settings)
