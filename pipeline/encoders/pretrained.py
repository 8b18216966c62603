"""What all pretrained text encoders have in common.

Where a model can be written as a `TextNetwork`, that is what runs on the CPU in float32, and what
is stored: the library is imported once, to write it. On another device or in another precision the
library runs. On disk an encoder is its settings, a digest of the model that these name, and the
network; a model that cannot be written as one stays where it is: in a package, a folder or the
hub's cache.

Shape letters: N texts, M texts that are not empty, E features.
"""

from __future__ import annotations

import platform
from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from copy import copy, deepcopy
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Literal, Self, TypeVar

import numpy as np
from pydantic import Field

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError
from pipeline.core.file_digest import folder_digest
from pipeline.core.json_file import read_json_as, write_json
from pipeline.core.section import Section
from pipeline.encoders.find_model import files_here
from pipeline.encoders.model_digest import library_versions
from pipeline.encoders.network_cache import KeptNetwork, entry_of, read_entry, write_note
from pipeline.encoders.packaged_network import Network, load_network, unpack_network
from pipeline.encoders.text_network import (
    FILE,
    EncoderFile,
    PackedNetwork,
    TextNetwork,
    load_text_network,
)

if TYPE_CHECKING:
    import torch

    from pipeline.encoders.export_network import NetworkParts

NOT_STORED = {"batch_size": 32, "device": "auto", "input": "text"}
"""Settings that do not change what is made of a text, with what takes their place: a model made on
a GPU is used where there is none."""


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
    LIBRARY: ClassVar[str]
    """Package that loads the model; another version may do so otherwise."""
    OF_CHOICE: ClassVar[set[str]] = set()
    """Settings that only decide what the model gets to see of a text."""
    _model: Any
    """The library's, where it is loaded."""
    _autocast_type: torch.dtype | None = None
    """What matrix products are computed in, if not as the weights are; a network is float32."""

    def __init__(
        self, settings: SettingsT, network: Network | None = None, digest: str = ""
    ) -> None:
        """Choose the device and the precision and load the model, unless a network stands for it.

        Args:
            settings: Which model, and how to run it.
            network: What runs in place of the model.
            digest: From `model_digest`, of the model that the network was made of.

        Raises:
            InputError: The device is not there or lacks the precision, or the model cannot be
                found or loaded.
        """
        self.settings = settings
        self.network = network
        self._digest = digest
        self._runs_network = network is not None
        if network is not None:
            return
        from pipeline.core.device import choose_device
        from pipeline.core.precision import autocast_type

        self._device = choose_device(settings.device)
        key = f"text.{type(self).__module__.rpartition('.')[2]}.precision"
        self._autocast_type = autocast_type(key, settings.precision, self._device)
        self._digest = self._open()

    @classmethod
    def open(cls, settings: SettingsT, cache: Path) -> Self:
        """Make the encoder; its network comes from the cache, or is exported into it.

        Whoever comes first, the same file runs, so the features are the same to the bit.

        Args:
            settings: Which model, and how to run it.
            cache: Folder of networks that are kept between runs.

        Raises:
            InputError: As the constructor, or the cache cannot be written to.
        """
        from pipeline.core.device import is_cpu

        model: Self | None = None
        kept = read_entry(cls._entry(settings, cache))
        if kept is None:
            model = cls(settings)
            # Known by now, of a model that had to be fetched.
            entry = cls._entry(settings, cache) or entry_of(cache, model.fingerprint)
            kept = read_entry(entry) or model._keep(entry)
        network, digest = kept
        if network is not None and settings.precision != "bf16" and is_cpu(settings.device):
            return cls(settings, network, digest)
        model = model or cls(settings)
        model.network = network
        return model

    @classmethod
    def _entry(cls, settings: SettingsT, cache: Path) -> Path | None:
        told = cls._told(settings)
        if told is None:
            return None
        versions = library_versions(cls.LIBRARY)
        return entry_of(cache, f"{cls.FORMAT} {versions} {told} {cls._made_by(settings)}")

    @classmethod
    def _told(cls, settings: SettingsT) -> str | None:
        """Say all that tells a model apart, without its library; None where that cannot be."""
        folder = files_here(settings.model)
        return None if folder is None else folder_digest(folder)

    def _keep(self, entry: Path) -> KeptNetwork:
        """Export the model into an entry of the cache."""
        with atomic_path(entry) as temporary:
            temporary.mkdir()
            network = self._write_network(temporary)
            self._describe(temporary, network)
            kind = type(self).__module__.rpartition(".")[2]
            write_note(temporary, f"network of {kind} {self.settings.model}")
        facts = None if network is None else network.described()
        return KeptNetwork(load_text_network(entry, facts), self._digest)

    @abstractmethod
    def _open(self) -> str:
        """Load the model and return its `model_digest`."""

    @property
    def fingerprint(self) -> str:
        """See `TextEncoder.fingerprint`."""
        # The digest says what the model is, and the type what the precision is on this machine.
        made_by = self._made_by(self.settings)
        return f"{self.FORMAT} {self._digest} {self._autocast_type} {made_by}"

    @classmethod
    def _made_by(cls, settings: SettingsT) -> dict[str, Any]:
        """Settings that decide what is made of what the model sees."""
        return settings.model_dump(exclude={"model", "precision", *NOT_STORED, *cls.OF_CHOICE})

    @property
    def device(self) -> str:
        """See `TextEncoder.device`."""
        return "cpu" if self._runs_network else self._device.type

    def seen(self, texts: Sequence[str]) -> list[bytes]:
        """See `TextEncoder.seen`; all of a text, unless an encoder says otherwise."""
        return [text.encode() for text in texts]

    @classmethod
    def fit(
        cls, texts: Sequence[str], train_texts: Sequence[str], settings: SettingsT, cache: Path
    ) -> Self:
        """See `TextEncoder.fit`; there is nothing to fit unless an encoder says so."""
        return cls.open(settings, cache)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """See `TextEncoder.encode`."""
        present = [bool(text.strip()) for text in texts]
        read = [text for text in texts if text.strip()]
        vector_ME = self._run_network(read) if self._runs_network else self._encode(read)
        vector_NE = np.zeros((len(texts), vector_ME.shape[1]), dtype=np.float32)
        vector_NE[present] = vector_ME
        return vector_NE

    def maker(self) -> Callable[[], Self]:
        """See `TextEncoder.maker`; what `auto` stands for has been settled here."""
        packed, settings = None, self.settings
        if self.network is not None and self._runs_network:
            packed = self.network.pack()
        else:
            precision = "fp32" if self._autocast_type is None else "bf16"
            settled = {"device": self._device.type, "precision": precision}
            settings = settings.model_copy(update=settled)
        return partial(self._arrive, settings, self._digest, self._fitted(), packed)

    @classmethod
    def _arrive(
        cls, settings: SettingsT, digest: str, fitted: dict[str, Any], packed: PackedNetwork | None
    ) -> Self:
        network = None if packed is None else unpack_network(packed)
        encoder = cls(settings, network, digest)
        vars(encoder).update(fitted)
        encoder._check_digest(digest, platform.node(), "put the same one on every node")
        return encoder

    def _fitted(self) -> dict[str, Any]:
        """Attributes that were fitted to the training texts."""
        return {}

    @abstractmethod
    def _encode(self, texts: list[str]) -> np.ndarray:
        """Encode M texts, none of them empty, by the library as [M, E] float."""

    def _run_network(self, texts: list[str]) -> np.ndarray:
        """Encode M texts, none of them empty, by the network as [M, E] float32."""
        assert self.network is not None
        return self.network.encode(texts, self.settings.batch_size)

    def _autocast(self) -> AbstractContextManager[Any]:
        import torch

        kind = self._autocast_type
        return torch.autocast(self._device.type, kind, enabled=kind is not None)

    def save(self, folder: Path) -> None:
        """Write `encoder.json`, and the network if there is one.

        Raises:
            InputError: The folder cannot be written to.
        """
        if self.network is not None:
            self.network.save(folder)
        self._describe(folder, self.network)

    def _describe(self, folder: Path, network: Network | None) -> None:
        made_by = self.settings.model_dump(exclude=set(NOT_STORED))
        described = None if network is None else network.described()
        content = {"settings": made_by, "model_digest": self._digest, "network": described}
        write_json(folder / FILE, content)

    def _write_network(self, folder: Path) -> TextNetwork | None:
        """Write the model as a network, if it can be."""
        import torch

        from pipeline.encoders.export_network import TEXTS, export_network

        # Tracing wants all of it on the CPU and in float32.
        twin = copy(self)
        twin._device, twin._autocast_type = torch.device("cpu"), None
        twin._model = deepcopy(self._model).to("cpu").float().eval()

        def encode_by(network: TextNetwork) -> np.ndarray:
            return type(self)(self.settings, network)._run_network(TEXTS)

        return export_network(folder, twin._parts, encode_by, partial(twin._encode, TEXTS))

    @abstractmethod
    def _parts(self) -> NetworkParts:
        """Give what a network is written from; raises one of REFUSALS where there is none."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote: the network, or else the model once more.

        Raises:
            InputError: A file is missing or damaged, the model cannot be loaded, or its name
                stands for another one now: features would be others than those trained on.
        """
        stored = read_json_as(folder / FILE, EncoderFile, "make it again")
        try:
            settings: Any = cls.SECTION.model_validate({**NOT_STORED, **stored["settings"]})
        except ValueError as error:
            raise InputError(f"{folder / FILE}: not the settings of a text encoder") from error
        network, digest = load_network(folder, stored.get("network")), stored["model_digest"]
        encoder = cls(settings, network, digest)
        if network is None:
            remedy = "put the old one back, or make the features again with "
            encoder._check_digest(digest, str(folder), remedy + "dvc repro --force text_block")
        encoder._load_fitted(folder)
        return encoder

    def _load_fitted(self, folder: Path) -> None:
        """Read what more than the settings was saved."""

    def _check_digest(self, digest: str, place: str, remedy: str) -> None:
        if self._digest != digest:
            raise InputError(
                f"{place}: text model {self.settings.model} is not the one that this was made with "
                f"(other weights, tokenizer or settings); {remedy}"
            )
