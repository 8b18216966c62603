"""The pictures of a catalogue by content: the same bytes are one picture, wherever they lie."""

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from pipeline.core.location import REMOTE_READERS, URI, RemotePath
from pipeline.pictures.digest_store import DigestStore
from pipeline.pictures.file import UnreadableImageError, read_picture
from pipeline.pictures.folder import FileState, ImageFolder, file_state

_READERS = 8
_AT_ONCE = 64


def digest_pictures(images: Iterable[str], folder: ImageFolder, known: Path) -> pd.DataFrame:
    """Digest pictures; a file that no run has read since it changed is read, once.

    Args:
        images: Paths of pictures below the folder; some may be there twice.
        folder: Where the pictures are.
        known: Folder of digests from earlier runs. A file counts as unchanged while its path, its
            size and the time of its last modification are the same.

    Returns:
        `image`, each once and sorted, and `digest`: sha256 of the file in hex, empty if the file
        cannot be read.

    Raises:
        InputError: Another filesystem does not answer, this machine has run out of something, or
            `known` cannot be written to.
    """
    names = sorted(set(images))
    # Before they are read: of a file that is written meanwhile no digest is believed.
    states = {name: folder.state(name) for name in names}
    store = DigestStore(known)
    earlier = store.digest_of
    digest_of = {
        name: earlier[state] for name, state in states.items() if state and state in earlier
    }
    wanted = set(states.values())
    current = {
        state: digest
        for state, digest in earlier.items()
        if state in wanted or _is_there(state, folder)
    }
    try:
        for name, digest in _read([name for name in names if name not in digest_of], folder):
            digest_of[name] = digest
            if digest and (state := states[name]):
                current[state] = digest
    finally:
        # What was read before a failure or an interrupt need not be read again.
        store.replace(current)
    return pd.DataFrame({"image": names, "digest": [digest_of[n] for n in names]}, dtype="str")


def contents(images: pd.Series, digests: pd.DataFrame) -> pd.Series:
    """Say what is in each item's picture, so that equal pictures can be told.

    Returns:
        The digest; the path where the file cannot be read, and so is like no other; empty for an
        item without a picture.
    """
    digest_N = images.map(digests.set_index("image")["digest"]).fillna("")
    return digest_N.mask(digest_N == "", images)


def _read(names: list[str], folder: ImageFolder) -> Iterable[tuple[str, str]]:
    """Digest files, in any order of reading and the given order of results."""

    def digest(name: str) -> str:
        try:
            return hashlib.sha256(read_picture(folder.folder / name)).hexdigest()
        except UnreadableImageError:
            return ""

    # Reading waits for the disk or the network; digesting lets other threads run.
    readers = REMOTE_READERS if isinstance(folder.folder, RemotePath) else _READERS
    # Handing over one small file takes longer than to read it.
    size = max(1, min(_AT_ONCE, len(names) // (4 * readers)))
    some = [names[start : start + size] for start in range(0, len(names), size)]
    pool = ThreadPoolExecutor(readers)
    try:
        for part, digests in zip(
            some, pool.map(lambda part: [digest(name) for name in part], some), strict=True
        ):
            yield from zip(part, digests, strict=True)
    finally:
        pool.shutdown(cancel_futures=True)


def _is_there(state: FileState, folder: ImageFolder) -> bool:
    """Whether a file that no item names now is as it was; another remote folder's is believed."""
    if not URI.match(state.path):
        return file_state(state.path) == state
    name = state.path.removeprefix(f"{folder.folder}/")
    return name == state.path or folder.state(name) == state
