"""Digests of picture files that were read before, for later runs."""

from collections.abc import Mapping
from contextlib import suppress
from operator import attrgetter
from pathlib import Path

import pyarrow as pa

from pipeline.core.vector_store import SUFFIX, read_digested, write_digested
from pipeline.pictures.folder import FileState

_SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("size", pa.int64()),
        ("modified", pa.int64()),
        ("digest", pa.binary(32)),
    ]
)


class DigestStore:
    """What earlier runs have read. All that can happen to it is that files are read again."""

    def __init__(self, home: Path) -> None:
        """Read what there is; damaged files are left out, and removed by the next `replace`."""
        self._home = home
        self._read: set[Path] = set()
        self.digest_of: dict[FileState, str] = {}
        """64 hex digits by the state of a file."""
        for path in sorted(home.glob(f"*{SUFFIX}")):
            # A network file system's hiccup, or another process has just merged it.
            with suppress(OSError):
                table = read_digested(path)
                self._read.add(path)
                if table is not None and table.schema == _SCHEMA:
                    *states, digest_N = (column.to_pylist() for column in table.columns)
                    digests = (digest.hex() for digest in digest_N)
                    self.digest_of |= zip(map(FileState, *states), digests, strict=True)

    def replace(self, digest_of: Mapping[FileState, str]) -> None:
        """Store these and forget what was read; what is stored already is not written again.

        What another process has written meanwhile stays, and the next run merges it.

        Raises:
            InputError: The folder cannot be written to.
        """
        if digest_of == self.digest_of and len(self._read) == 1:
            return
        # Two states have two paths; comparing these alone takes a fifth of the time.
        states = sorted(digest_of, key=attrgetter("path"))
        rows = [(*state, bytes.fromhex(digest_of[state])) for state in states]
        columns = zip(*rows, strict=True) if rows else [()] * len(_SCHEMA)
        arrays = [pa.array(*pair) for pair in zip(columns, _SCHEMA.types, strict=True)]
        whole = self._home / write_digested(self._home, pa.table(arrays, schema=_SCHEMA))
        for path in self._read - {whole}:
            with suppress(OSError):
                path.unlink()
        self._read, self.digest_of = {whole}, dict(digest_of)
