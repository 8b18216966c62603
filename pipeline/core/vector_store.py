"""Vectors that were made once, on disk, found by what they were made from.

A store has a folder per recipe, which is whatever turns a picture or a text into a vector. In it
are Arrow files, each written whole under the digest of its own bytes and never changed: any number
of processes and machines may write at once, a killed one leaves nothing half done, and a damaged
file is recognised, thrown away and made again. A file is read for that once, and again if its size
or time has changed. In a store of this machine many small files become
few large ones, and only the recipes used last stay. A store on another filesystem is copied file by
file to this machine before it is read.

Shape letters: M rows, D dimension of a vector.
"""

import hashlib
import re
import shutil
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pipeline.core.atomic import atomic_path
from pipeline.core.checked_files import NOTE, CheckedFiles
from pipeline.core.errors import InputError
from pipeline.core.location import REMOTE_READERS, Location, RemotePath
from pipeline.core.vectors import vector_array, vector_matrix

SUFFIX = ".arrow"
RECIPE_FILE = "recipe.txt"
"""Says what made the vectors of a folder; written anew whenever they are used."""
RECIPES_KEPT = 20
SMALL_FILES = 64
"""So many files of less than SMALL_BYTES become few large ones."""
SMALL_BYTES = 2**26

_STALE_SECONDS = 3600
RECIPE_FOLDER = re.compile("[0-9a-f]{32}")
"""Name of a recipe's folder."""


class Row(NamedTuple):
    """Where a vector is."""

    file: str
    row: int
    pixels: int
    """Width times height of the picture that it was made of; 0 of a text."""


class VectorStore:
    """The vectors of one recipe."""

    def __init__(
        self, home: Location, recipe: str = "", copies: Path = Path(), *, shared: bool = False
    ) -> None:
        """Name the store; nothing is read or made.

        Args:
            home: The recipe's folder, which need not be there; others are beside it.
            recipe: What to call the recipe, for people; empty for a process that only writes.
            copies: If `home` is on another filesystem and vectors are to be read: the folder on
                this machine to which its files are copied first.
            shared: Whether `home` is a place that the user chose. Other machines may have its files
                open and use its recipes: none is merged or removed there.
        """
        self.home = home
        self.folder = home if isinstance(home, Path) else copies
        self._recipe = recipe
        self._is_own = isinstance(home, Path) and not shared
        self._tables: dict[str, pa.Table] = {}

    def write(
        self, keys: Sequence[bytes], vector_MD: np.ndarray, pixels: Sequence[int] | None = None
    ) -> None:
        """Add rows as one file; of no rows, nothing.

        Args:
            keys: One per row.
            vector_MD: [M, D] float32.
            pixels: Width times height of each picture.

        Raises:
            InputError: The store cannot be written to, or the disk is full.
        """
        if keys:
            write_digested(self.home, _table(keys, vector_MD, pixels))

    def find(self, wanted: Collection[bytes]) -> dict[bytes, Row]:
        """Look keys up; damaged files are removed on the way, and unreadable ones left alone.

        Args:
            wanted: Keys; looking them up has to be fast.

        Returns:
            The row of every one that is there, for `read` until the next `find`.

        Raises:
            InputError: Another filesystem does not answer, or a copy cannot be written.
        """
        _sweep(self.folder)
        if isinstance(self.home, RemotePath):
            _copy(self.home, self.folder)
        if self._recipe:
            self._note_use()
        self._load()
        if self._is_own:
            self._compact()
        return {key: row for key, row in self._rows(sorted(self._tables)) if key in wanted}

    def read(self, rows: Sequence[Row]) -> np.ndarray:
        """Read rows that `find` returned, at least one, as [M, D] float32 in the order given."""
        # A file at a time: rows of one are near each other on disk.
        by_file: dict[str, list[int]] = {}
        for index, row in enumerate(rows):
            by_file.setdefault(row.file, []).append(index)
        dimension = self._tables[rows[0].file]["vector"].type.list_size
        vector_MD = np.empty((len(rows), dimension), dtype=np.float32)
        for name, indices in by_file.items():
            # The files are mapped: only the rows that are asked for take memory.
            stored_MD = vector_matrix(self._tables[name]["vector"])
            vector_MD[indices] = stored_MD[[rows[index].row for index in indices]]
        return vector_MD

    def _load(self) -> None:
        """Map what is new; files that another process makes of many meanwhile too."""
        # A file never changes: what was compared with its name once is not read again.
        self._tables = {
            name: table for name, table in self._tables.items() if (self.folder / name).exists()
        }
        checked = CheckedFiles(self.folder)
        tried = set(self._tables)
        while new := {path.name for path in self.folder.glob(f"*{SUFFIX}")} - tried:
            tried |= new
            for name in sorted(new):
                try:
                    path = self.folder / name
                    table = read_digested(path, compare=not checked.is_known(path))
                except OSError:
                    # A network file system's hiccup says nothing about what the file holds.
                    continue
                if table is not None and {"key", "vector"} <= set(table.column_names):
                    self._tables[name] = table
                    continue
                with suppress(OSError):
                    path.unlink()
        checked.keep(sorted(self._tables))

    def _rows(self, names: Sequence[str]) -> Iterator[tuple[bytes, Row]]:
        for name in names:
            table = self._tables[name]
            known = "pixels" in table.column_names
            pixels = table["pixels"].to_pylist() if known else repeat(0)
            for row, pair in enumerate(zip(table["key"].to_pylist(), pixels, strict=known)):
                yield pair[0], Row(name, row, pair[1])

    def _compact(self) -> None:
        """Make few files of many, which take long to open; each row once."""
        dimension = max((t["vector"].type.list_size for t in self._tables.values()), default=1)
        at_once = SMALL_BYTES // (4 * dimension)
        small = [name for name, table in self._tables.items() if table.num_rows < at_once]
        if len(small) < SMALL_FILES:
            return
        rows = list(dict(self._rows(small)).items())
        written: set[str] = set()
        with suppress(InputError):  # No room: the small ones serve as well.
            for start in range(0, len(rows), at_once):
                keys, places = zip(*rows[start : start + at_once], strict=True)
                pixels = [place.pixels for place in places]
                table = _table(keys, self.read(places), pixels if any(pixels) else None)
                written.add(write_digested(self.folder, table))
            for name in set(small) - written:
                # What is mapped stays readable.
                with suppress(OSError):
                    (self.folder / name).unlink()
            self._load()

    def _note_use(self) -> None:
        """Date the recipe, and remove those beside it that were not used for longest."""
        # A store that cannot be written to can still be read.
        with suppress(InputError):
            _write_whole(self.home / RECIPE_FILE, pa.py_buffer(f"{self._recipe}\n".encode()))
        if not self._is_own or isinstance(self.home, RemotePath):
            return
        with suppress(OSError):
            beside = [path for path in self.home.parent.iterdir() if _is_recipe(path)]
            for path in sorted(beside, key=_last_use)[:-RECIPES_KEPT]:
                shutil.rmtree(path, ignore_errors=True)


def _table(keys: Sequence[bytes], vector_MD: np.ndarray, pixels: Sequence[int] | None) -> pa.Table:
    columns = {"key": pa.array(keys, pa.binary()), "vector": vector_array(vector_MD)}
    if pixels is not None:
        columns["pixels"] = pa.array(pixels, pa.int64())
    return pa.table(columns)


def write_digested(folder: Location, table: pa.Table) -> str:
    """Write a table as a file that nobody changes.

    Returns:
        The file's name, which is the digest of its bytes.

    Raises:
        InputError: The folder cannot be written to, or the disk is full.
    """
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    data = sink.getvalue()
    name = _name(data)
    _write_whole(folder / name, data)
    return name


def read_digested(path: Path, *, compare: bool = True) -> pa.Table | None:
    """Open a file of `write_digested`.

    Args:
        path: The file.
        compare: Whether to read it in full, and compare it with its name.

    Returns:
        The table, whose columns stay in the mapped file; None if the file is damaged.

    Raises:
        OSError: It cannot be read, which says nothing about what it holds.
    """
    try:
        with pa.memory_map(str(path)) as source:
            data = source.read_buffer()
            if compare and _name(data) != path.name:
                return None
            return pa.ipc.open_file(data).read_all()
    except pa.ArrowInvalid:
        return None


def _is_recipe(folder: Path) -> bool:
    """Whether a folder is a recipe's: by its name, and by nothing else being in it."""
    return RECIPE_FOLDER.fullmatch(folder.name) is not None and all(
        path.suffix == SUFFIX or path.name in (RECIPE_FILE, NOTE) or path.name.endswith(".tmp")
        for path in folder.iterdir()
    )


def _last_use(folder: Path) -> float:
    """When a run began to use it or added a file; a run may last longer than others begin."""
    noted = folder / RECIPE_FILE
    return max(path.stat().st_mtime for path in (folder, noted) if path.exists())


def _copy(home: RemotePath, folder: Path) -> None:
    """Bring here what other machines have added; a file never changes."""
    try:
        names, _ = home.list_below()
    except FileNotFoundError:
        return
    here = {path.name for path in folder.glob(f"*{SUFFIX}")}

    def fetch(name: str) -> None:
        # Another machine may have found it damaged and removed it.
        with suppress(FileNotFoundError):
            data = pa.py_buffer((home / name).read_bytes())
            if name == _name(data):
                _write_whole(folder / name, data)
            else:
                (home / name).unlink()

    new = [name for name in names if name.endswith(SUFFIX) and name not in here]
    with ThreadPoolExecutor(REMOTE_READERS) as pool:
        for _ in pool.map(fetch, new):
            pass


def _sweep(folder: Path) -> None:
    """Remove what killed processes were about to rename."""
    for path in folder.glob(".*.tmp"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                path.unlink()


def _name(data: pa.Buffer) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest() + SUFFIX


def _write_whole(path: Location, data: pa.Buffer) -> None:
    if isinstance(path, RemotePath):
        path.write_bytes(data)
        return
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)
