"""A text model that a package carries, with the interface of a `TextNetwork`.

Its files travel with what was made of it, as a network's do; its code is the package's. The C
engine of one of them reads its file without checks, so only files that are known are opened.

Shape letters: M texts, E features.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError
from pipeline.core.file_digest import file_digest
from pipeline.core.plugins import import_plugin, plugin_names
from pipeline.encoders import packaged
from pipeline.encoders.text_network import (
    PackedNetwork,
    TextNetwork,
    load_text_network,
    unpack_text_network,
)

PREFIX = "packaged/"
KEY = "packaged"
"""Under this key an encoder's file names the model."""
GOLDEN_TEXT = "Red shirt, rotes Hemd, chemise rouge, красная рубашка, 赤いシャツ, قميص أحمر"
GOLDEN_COLUMNS = 16
"""So many numbers of its vector are kept, which no change to all vectors leaves as they are."""
TOLERANCE = 1e-3
"""Largest difference in these that is put down to another processor. Components of a unit vector
are about 0.05."""


class PackagedNetwork:
    """Texts -> vectors, as the package makes them."""

    def __init__(self, name: str, folder: Path, golden: Sequence[float] | None = None) -> None:
        """Load the model of a folder.

        Args:
            name: A file's of `packaged/`.
            folder: Where the model's files are.
            golden: What the package made of GOLDEN_TEXT when the model was chosen; None: now.

        Raises:
            InputError: The package is missing, a file is missing or another one, the processor does
                not suit, or the package gives other vectors than it did.
        """
        self.name, self._folder = name, folder
        self._source = _source(name)
        for file, digest in self._source.FILES.items():
            if not (folder / file).is_file() or file_digest(folder / file) != digest:
                raise InputError(
                    f"{folder / file}: not the file of {PREFIX}{name} that this version knows; "
                    f"install the {self._source.PACKAGE} of its pyproject.toml, or make the model "
                    "again with dvc repro --force text_block"
                )
        self._version = version(self._source.PACKAGE)
        self._encode = self._source.open_model(folder)
        found_E = self._encode([GOLDEN_TEXT])[0][:GOLDEN_COLUMNS]
        self._golden = [round(float(number), 6) for number in found_E]
        if golden is not None and not _is_near(golden, self._golden):
            raise InputError(
                f"{folder}: {self._source.PACKAGE} {self._version} gives other vectors than the "
                "version that the features were made with; install that one, or make them again "
                "with dvc repro --force text_block"
            )

    @property
    def digest(self) -> str:
        """What tells its vectors apart: the files, and the package that reads them."""
        told = f"{self._source.PACKAGE} {self._version} {sorted(self._source.FILES.items())}"
        return hashlib.sha256(told.encode()).hexdigest()

    def encode(self, texts: Sequence[str], batch_size: int) -> np.ndarray:
        """Encode M texts as [M, E] float32; the package chooses the size of its batches."""
        return np.asarray(self._encode(list(texts)), dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Copy the files into a folder.

        Raises:
            InputError: It cannot be written to.
        """
        for name in self._source.FILES:
            with atomic_path(folder / name) as temporary:
                shutil.copyfile(self._folder / name, temporary)

    def pack(self) -> PackedNetwork:
        """Make plain data of it, for another machine, which has the package."""
        files = {name: (self._folder / name).read_bytes() for name in self._source.FILES}
        return PackedNetwork(self.described(), files)

    def described(self) -> dict[str, Any]:
        """What `load_network` wants to be told."""
        return {KEY: self.name, "version": self._version, "golden": self._golden}


Network = TextNetwork | PackagedNetwork


def packaged_name(model: str) -> str | None:
    """Name of the file of `packaged/` that a parameter's model is; None for any other model."""
    name = model.removeprefix(PREFIX)
    return name if model.startswith(PREFIX) and name in plugin_names(packaged) else None


def open_packaged(name: str) -> PackagedNetwork:
    """Load a model from its package.

    Raises:
        InputError: The package is missing, or is another version than the model is known of.
    """
    source = _source(name)
    try:
        return PackagedNetwork(name, source.find_files())
    except ModuleNotFoundError as error:
        raise _missing(name) from error


def load_network(folder: Path, described: Mapping[str, Any] | None) -> Network | None:
    """Load what an encoder was stored with; None for one that has no network.

    Raises:
        InputError: A file is missing or damaged, or a package.
    """
    if described is None or KEY not in described:
        return load_text_network(folder, described)
    name, golden = described[KEY], described.get("golden")
    if name not in plugin_names(packaged) or not isinstance(golden, list):
        raise InputError(f"{folder}: not the facts of a text model; make it again")
    try:
        return PackagedNetwork(name, folder, golden)
    except ModuleNotFoundError as error:
        raise _missing(name) from error


def unpack_network(packed: PackedNetwork) -> Network:
    """Load what `pack` made; it cannot be saved here."""
    if KEY not in packed.described:
        return unpack_text_network(packed)
    with TemporaryDirectory() as folder:
        for name, content in packed.files.items():
            (Path(folder) / name).write_bytes(content)
        network = load_network(Path(folder), packed.described)
    assert network is not None
    return network


def _source(name: str) -> Any:
    return import_plugin(packaged, name)


def _missing(name: str) -> InputError:
    source = _source(name)
    return InputError(
        f"text model {PREFIX}{name}: package {source.PACKAGE} is missing; {source.INSTALL}"
    )


def _is_near(one: Sequence[float], other: Sequence[float]) -> bool:
    return len(one) == len(other) and bool(np.allclose(one, other, rtol=0.0, atol=TOLERANCE))
