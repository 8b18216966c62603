"""Features of texts, kept between runs and found by what is read of a text and what encodes it.

Each folder holds the features of one encoder in small Arrow files. A file is written whole under
the digest of its own bytes and never changed, so runs at the same time and killed ones do no harm,
and a damaged one is recognised, thrown away and made again.

Shape letters: M texts, E features.
"""

import hashlib
from collections.abc import Sequence, Set
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.core.atomic import atomic_path
from pipeline.core.sealed import SUFFIX, read_sealed, seal
from pipeline.core.vector_column import vector_array, vector_matrix


def vector_key(seen: bytes) -> bytes:
    """Digest what an encoder sees of a text.

    Args:
        seen: From `TextEncoder.seen`.

    Returns:
        16 bytes.
    """
    return hashlib.sha256(seen).digest()[:16]


class KeptVectors:
    """The features that one encoder has made."""

    def __init__(self, cache: Path, fingerprint: str) -> None:
        """Name the folder; nothing is read or made.

        Args:
            cache: Folder of all encoders, which need not be there.
            fingerprint: From the encoder.
        """
        self._folder = cache / hashlib.sha256(fingerprint.encode()).hexdigest()[:32]

    def write(self, keys: Sequence[bytes], vector_ME: np.ndarray) -> None:
        """Keep features, as one file; of no texts, nothing.

        Args:
            keys: From `vector_key`.
            vector_ME: [M, E] float32.

        Raises:
            InputError: The folder cannot be written to, or the disk is full.
        """
        if not keys:
            return
        columns = {"key": pa.array(keys, pa.binary()), "vector": vector_array(vector_ME)}
        name, data = seal(pa.table(columns))
        with atomic_path(self._folder / name) as temporary:
            temporary.write_bytes(data)

    def find(self, wanted: Set[bytes]) -> dict[bytes, np.ndarray]:
        """Read what is there; damaged files are removed on the way, and unreadable ones left alone.

        Args:
            wanted: Keys.

        Returns:
            Key to [E] features.
        """
        found: dict[bytes, np.ndarray] = {}
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            try:
                table = read_sealed(path)
            except OSError:
                continue
            if table is None:
                with suppress(OSError):
                    path.unlink()
                continue
            stored_ME = vector_matrix(table["vector"])
            for row, key in enumerate(table["key"].to_pylist()):
                if key in wanted:
                    # A copy: a view would keep the whole file.
                    found[key] = stored_ME[row].copy()
        return found
