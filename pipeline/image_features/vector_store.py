"""Vectors that were extracted once, on disk, found by what they were made from.

A store is a folder of small Arrow files. Each is written whole under the digest of its own bytes
and never changed, so any number of processes and machines may write at once, a killed one leaves
nothing half done, and a damaged file is recognised, thrown away and made again. A store on another
filesystem is copied file by file to this machine before it is read.

Shape letters: M rows, I image feature.
"""

import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pipeline.core.atomic import atomic_path
from pipeline.core.location import REMOTE_READERS, Location, RemotePath
from pipeline.core.sealed import SUFFIX, read_sealed, seal, sealed_name
from pipeline.core.vector_column import vector_array, vector_matrix

KEY_BYTES = 32
_STALE_SECONDS = 3600


class Place(NamedTuple):
    """Where a vector is."""

    file: str
    row: int
    pixels: int
    """Width times height of the picture."""


class VectorStore:
    """The vectors of one recipe."""

    def __init__(self, home: Location, dimension: int, copies: Path = Path()) -> None:
        """Name the store; nothing is read or made.

        Args:
            home: Its folder, which need not be there.
            dimension: I.
            copies: If `home` is on another filesystem and vectors are to be read: the folder on
                this machine to which its files are copied first.
        """
        self.home = home
        self.folder = home if isinstance(home, Path) else copies
        self.dimension = dimension
        self._schema = pa.schema(
            [
                ("key", pa.binary(KEY_BYTES)),
                ("pixels", pa.int64()),
                ("vector", pa.list_(pa.float32(), dimension)),
            ]
        )

    def write(self, keys: Sequence[bytes], pixels: Sequence[int], vector_MI: np.ndarray) -> None:
        """Add rows as one file.

        Args:
            keys: One of 32 bytes per row.
            pixels: Width times height of each picture.
            vector_MI: [M, I] float32.

        Raises:
            InputError: The place cannot be written to, or the disk is full.
        """
        columns = [
            pa.array(keys, self._schema.field("key").type),
            pa.array(pixels, pa.int64()),
            vector_array(vector_MI),
        ]
        name, data = seal(pa.table(columns, schema=self._schema))
        _write_whole(self.home / name, data)

    def find(self, wanted: Collection[bytes]) -> dict[bytes, Place]:
        """Look keys up; damaged files are removed on the way, and unreadable ones left alone.

        Args:
            wanted: Keys; looking them up has to be fast.

        Returns:
            The place of every one that is there.

        Raises:
            InputError: Another filesystem does not answer, or a copy cannot be written.
        """
        found: dict[bytes, Place] = {}
        self._sweep()
        if isinstance(self.home, RemotePath):
            self._copy(self.home)
        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            try:
                table = read_sealed(path)
            except OSError:
                # A network file system's hiccup says nothing about what the file holds.
                continue
            if table is None or table.schema != self._schema:
                with suppress(OSError):
                    path.unlink()
                continue
            keys, pixels = table["key"].to_pylist(), table["pixels"].to_pylist()
            for row, key in enumerate(keys):
                if key in wanted:
                    found.setdefault(key, Place(path.name, row, pixels[row]))
        return found

    def read(self, places: Sequence[Place]) -> np.ndarray:
        """Read vectors.

        Args:
            places: What `find` returned, in any order.

        Returns:
            [M, I] float32 in the order asked for.
        """
        vector_MI = np.empty((len(places), self.dimension), dtype=np.float32)
        by_file: dict[str, list[int]] = {}
        for index, place in enumerate(places):
            by_file.setdefault(place.file, []).append(index)
        for name, indices in by_file.items():
            with pa.memory_map(str(self.folder / name)) as source:
                stored_MI = vector_matrix(pa.ipc.open_file(source).read_all()["vector"])
                vector_MI[indices] = stored_MI[[places[index].row for index in indices]]
        return vector_MI

    def _copy(self, home: RemotePath) -> None:
        """Bring here what other machines have added; a file never changes."""
        try:
            names, _ = home.list_below()
        except FileNotFoundError:
            return
        here = {path.name for path in self.folder.glob(f"*{SUFFIX}")}

        def fetch(name: str) -> None:
            # Another machine may have found it damaged and removed it.
            with suppress(FileNotFoundError):
                data = pa.py_buffer((home / name).read_bytes())
                if name == sealed_name(data):
                    _write_whole(self.folder / name, data)
                else:
                    (home / name).unlink()

        new = [name for name in names if name.endswith(SUFFIX) and name not in here]
        with ThreadPoolExecutor(REMOTE_READERS) as pool:
            for _ in pool.map(fetch, new):
                pass

    def _sweep(self) -> None:
        """Remove what killed processes were about to rename."""
        for path in self.folder.glob(".*.tmp"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                    path.unlink()


def _write_whole(path: Location, data: pa.Buffer) -> None:
    if isinstance(path, RemotePath):
        path.write_bytes(data)
        return
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)
