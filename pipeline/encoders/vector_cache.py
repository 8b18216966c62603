"""The catalogue's words of a large file of vectors, kept so that the file is read once.

Shape letters: V words found, E word vector.
"""

import hashlib
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from pipeline.core.atomic import atomic_path
from pipeline.encoders.vector_file import read_vector_file

BEGINNING = 2**16
"""Bytes of a file that tell it from others of the same size and time, as archives may have them."""


def read_through_cache(
    path: Path, words: frozenset[str], folder: Path
) -> tuple[list[str], np.ndarray]:
    """Read words of a file of vectors, from the cache if it has looked for all of them before.

    What was looked for and not found is kept too. New words make the file be read again, for them
    and all words of the cache, so catalogue and class names share one entry. A file of another
    size, time of change or beginning is another file; a copy elsewhere that has these is the same.

    Returns:
        V words found, sorted, and their [V, E] float32 vectors.

    Raises:
        InputError: The file is damaged, or the cache cannot be written to.
    """
    entry = folder / f"{_identity(path)}.safetensors"
    looked_for, known, vector_VE = _read(entry)
    if not words <= looked_for:
        looked_for |= words
        known, vector_VE = read_vector_file(path, frozenset(looked_for))
        tensors = {
            "known": _bytes(known),
            "missing": _bytes(sorted(looked_for - set(known))),
            "vectors": vector_VE,
        }
        with atomic_path(entry) as temporary:
            temporary.write_bytes(save(tensors))
    rows = [row for row, word in enumerate(known) if word in words]
    return [known[row] for row in rows], vector_VE[rows]


def _identity(path: Path) -> str:
    with path.open("rb") as stream:
        beginning = stream.read(BEGINNING)
    state = path.stat()
    told = f"{state.st_size} {state.st_mtime_ns} {hashlib.sha256(beginning).hexdigest()}"
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _bytes(words: list[str]) -> np.ndarray:
    # No word has whitespace in it.
    return np.frombuffer(" ".join(words).encode(), dtype=np.uint8)


def _read(entry: Path) -> tuple[set[str], list[str], np.ndarray]:
    try:
        tensors = load_file(entry)
        known = tensors["known"].tobytes().decode().split()
        missing = tensors["missing"].tobytes().decode().split()
        return {*known, *missing}, known, tensors["vectors"]
    except (OSError, SafetensorError, KeyError, UnicodeDecodeError):
        # No cache yet, or a damaged one: the file itself is read and the entry written anew.
        return set(), [], np.empty((0, 0), np.float32)
