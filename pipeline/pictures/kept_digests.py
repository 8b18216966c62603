"""Digests of files that were read before, kept between runs.

They lie in a folder of sealed files: each is written whole under the digest of its own bytes, so
any number of processes may write at once and a damaged file is recognised and thrown away.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pyarrow as pa

from pipeline.core.atomic import atomic_path
from pipeline.core.sealed import SUFFIX, read_sealed, seal
from pipeline.pictures.folder import FileState

_SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("size", pa.int64()),
        ("modified", pa.int64()),
        ("digest", pa.binary(32)),
    ]
)


class KeptDigests:
    """What earlier runs have read. All that can happen to it is that files are read again."""

    def __init__(self, home: Path) -> None:
        """Read what there is; damaged files are removed.

        Args:
            home: The folder, which need not be there.
        """
        self._home = home
        self._read: set[Path] = set()
        self.digest_of: dict[FileState, str] = {}
        """64 hex digits by the state of a file."""
        for path in sorted(home.glob(f"*{SUFFIX}")):
            # A network file system's hiccup, or another process has just merged it.
            with suppress(OSError):
                table = read_sealed(path)
                self._read.add(path)
                if table is not None and table.schema == _SCHEMA:
                    path_N, size_N, modified_N, digest_N = (
                        column.to_pylist() for column in table.columns
                    )
                    states = map(FileState, path_N, size_N, modified_N)
                    self.digest_of |= zip(states, (d.hex() for d in digest_N), strict=True)

    def replace(self, digest_of: Mapping[FileState, str]) -> None:
        """Keep these and forget what was read.

        What another process has written meanwhile stays, and the next run merges it.

        Args:
            digest_of: 64 hex digits by the state of a file.

        Raises:
            InputError: The folder cannot be written to.
        """
        states = sorted(digest_of)
        columns = [
            *([state[place] for state in states] for place in range(3)),
            [bytes.fromhex(digest_of[state]) for state in states],
        ]
        arrays = [pa.array(*pair) for pair in zip(columns, _SCHEMA.types, strict=True)]
        name, data = seal(pa.table(arrays, schema=_SCHEMA))
        whole = self._home / name
        if not whole.exists():
            with atomic_path(whole) as temporary:
                temporary.write_bytes(data)
        for path in self._read - {whole}:
            with suppress(OSError):
                path.unlink()
        self._read = {whole}
