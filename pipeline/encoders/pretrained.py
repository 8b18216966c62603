"""What all pretrained text encoders have in common.

On disk they are their settings and a digest of the model that these name. Where a model can be
written as a `TextNetwork`, that is stored too; any other stays where it is: in a package, a folder
or the hub's cache.

Shape letters: N texts, M texts that are not empty, E features.
"""

from __future__ import annotations

import hashlib
import platform
from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Literal, Self, TypeVar

import numpy as np
from pydantic import Field

from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json, write_json
from pipeline.core.section import Section
from pipeline.encoders.text_network import TextNetwork, load_text_network

if TYPE_CHECKING:
    import torch
    from torch import nn

FILE = "encoder.json"
NOT_STORED = {"batch_size": 32, "device": "auto", "input": "text"}
"""Settings that do not change what is made of a text, with what takes their place: a model made on
a GPU is used where there is none."""
RECIPE = ("*.json", "*.txt", "*.model")
"""Files of a model's folder that say what it does with its weights: tokenizer, pooling, prompts."""


class PretrainedSettings(Section):
    """What the sections of all pretrained encoders have in common."""

    model: Annotated[str, Field(min_length=1)]
    """Which model."""
    input: Literal["text", "clean_text"]
    """The text as the catalogue has it, or cleaned."""
    batch_size: Annotated[int, Field(ge=1)]
    """Texts per forward pass."""
    device: Literal["auto", "cpu", "cuda"]
    """Where the model runs."""
    precision: Literal["auto", "fp32", "bf16"]
    """Of the model's matrix products; auto: bf16 on CUDA devices that have it, else fp32."""


SettingsT = TypeVar("SettingsT", bound=PretrainedSettings)


class PretrainedEncoder(Generic[SettingsT]):
    """A text encoder that is stored as its settings and a digest of the model that they name."""

    SECTION: ClassVar[type[PretrainedSettings]]
    FORMAT: ClassVar[str]
    """Changed with the encoder's code where that gives texts other features, which makes those
    that are stored void."""
    OF_CHOICE: ClassVar[set[str]] = set()
    """Settings that only decide what the model gets to see of a text."""
    _autocast_type: torch.dtype | None = None
    """What matrix products are computed in, if not as the weights are; a network is float32."""

    def __init__(
        self, settings: SettingsT, network: TextNetwork | None = None, digest: str = ""
    ) -> None:
        """Choose the device and the precision and load the model, unless a network stands for it.

        Args:
            settings: Which model, and how to run it.
            network: What an encoder that was stored with it runs in place of the model.
            digest: From `model_digest`, of the model that the network was made of.

        Raises:
            InputError: The device is not there or lacks the precision, or the model cannot be
                found or loaded.
        """
        self.settings = settings
        self.network = network
        self._digest = digest
        if network is not None:
            return
        from pipeline.core.device import choose_device
        from pipeline.core.precision import autocast_type

        self._device = choose_device(settings.device)
        key = f"text.{type(self).__module__.rpartition('.')[2]}.precision"
        self._autocast_type = autocast_type(key, settings.precision, self._device)
        self._digest = self._open()

    @abstractmethod
    def _open(self) -> str:
        """Load the model and return its `model_digest`."""

    @property
    def fingerprint(self) -> str:
        """See `TextEncoder.fingerprint`."""
        # The digest says what the model is, and the type what the precision is on this machine.
        made_by = self.settings.model_dump(
            exclude={"model", "precision", *NOT_STORED, *self.OF_CHOICE}
        )
        return f"{self.FORMAT} {self._digest} {self._autocast_type} {made_by}"

    @property
    def device(self) -> str:
        """See `TextEncoder.device`."""
        return self._device.type

    def seen(self, texts: Sequence[str]) -> list[bytes]:
        """See `TextEncoder.seen`; all of a text, unless an encoder says otherwise."""
        return [text.encode() for text in texts]

    @classmethod
    def fit(
        cls, texts: Sequence[str], train_texts: Sequence[str], settings: SettingsT, cache: Path
    ) -> Self:
        """See `TextEncoder.fit`; there is nothing to fit unless an encoder says so."""
        return cls(settings)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """See `TextEncoder.encode`."""
        present = [bool(text.strip()) for text in texts]
        read = [text for text in texts if text.strip()]
        if self.network is not None:
            vector_ME = self.network.encode(read, self.settings.batch_size)
        else:
            vector_ME = self._encode(read)
        vector_NE = np.zeros((len(texts), vector_ME.shape[1]), dtype=np.float32)
        vector_NE[present] = vector_ME
        return vector_NE

    def maker(self) -> Callable[[], Self]:
        """See `TextEncoder.maker`; what `auto` stands for has been settled here."""
        settled = {
            "device": self._device.type,
            "precision": "fp32" if self._autocast_type is None else "bf16",
        }
        settings = self.settings.model_copy(update=settled)
        return partial(self._arrive, settings, self._digest, self._fitted())

    @classmethod
    def _arrive(cls, settings: SettingsT, digest: str, fitted: dict[str, Any]) -> Self:
        encoder = cls(settings)
        vars(encoder).update(fitted)
        encoder._check_digest(digest, platform.node(), "put the same one on every node")
        return encoder

    def _fitted(self) -> dict[str, Any]:
        """Attributes that were fitted to the training texts."""
        return {}

    @abstractmethod
    def _encode(self, texts: list[str]) -> np.ndarray:
        """Encode M texts, none of them empty, as [M, E] float."""

    def _autocast(self) -> AbstractContextManager[Any]:
        import torch

        kind = self._autocast_type
        return torch.autocast(self._device.type, kind, enabled=kind is not None)

    def save(self, folder: Path) -> None:
        """Write `encoder.json`, and the network of a model that can be written as one.

        Raises:
            InputError: The folder cannot be written to.
        """
        made_by = self.settings.model_dump(exclude=set(NOT_STORED))
        network = self.network
        if network is None:
            network = self._write_network(folder)
        else:
            network.save(folder)
        described = None if network is None else network.described()
        content = {"settings": made_by, "model_digest": self._digest, "network": described}
        write_json(folder / FILE, content)

    def _write_network(self, folder: Path) -> TextNetwork | None:
        """Write the model as a network, if the encoder knows how and this one can be."""
        return None

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote: the network, or else the model once more.

        Raises:
            InputError: A file is missing or damaged, the model cannot be loaded, or its name
                stands for another one now: features would be others than those trained on.
        """
        stored = read_json(folder / FILE)
        try:
            settings: Any = cls.SECTION.model_validate({**NOT_STORED, **stored["settings"]})
            digest = str(stored["model_digest"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{folder / FILE}: not the settings of a text encoder") from error
        network = load_text_network(folder, stored.get("network"))
        if network is not None:
            return cls(settings, network, digest)
        encoder = cls._reopen(folder, settings)
        remedy = "put the old one back, or make the features again with "
        encoder._check_digest(digest, str(folder), remedy + "dvc repro --force text_block")
        return encoder

    def _check_digest(self, digest: str, place: str, remedy: str) -> None:
        if self._digest != digest:
            raise InputError(
                f"{place}: text model {self.settings.model} is not the one that this was made with "
                f"(other weights, tokenizer or settings); {remedy}"
            )

    @classmethod
    def _reopen(cls, folder: Path, settings: Any) -> Self:
        """Make the encoder of stored settings; for what more than these is to be read."""
        return cls(settings)


def weights_digest(model: nn.Module) -> str:
    """Digest a model's weights, on any device, as 64 hexadecimal digits."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def model_digest(weights: str, place: str | None, version: str = "") -> str:
    """Digest all that decides a model's features, as 64 hexadecimal digits.

    Args:
        weights: From `weights_digest`.
        place: Where the model is: of a folder, the small files count too; a name on the hub, or
            None.
        version: What else there is to tell models with the same weights apart, such as the hub's
            commit.
    """
    digest = hashlib.sha256(f"{weights} {version}".encode())
    if place is not None:
        folder = Path(place)
        for path in sorted(path for pattern in RECIPE for path in folder.rglob(pattern)):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(folder).as_posix()} {content}".encode())
    return digest.hexdigest()
