"""The pictures of a catalogue by content: the same bytes are one picture, wherever they lie."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import NamedTuple

from pipeline.catalog.images import ImageFolder
from pipeline.catalog.rows import BadRowError
from pipeline.files.location import REMOTE_READERS, Location, RemotePath
from pipeline.image.decode import UnreadableImageError, read_picture

_READERS = 8
_AT_ONCE = 64


class Picture(NamedTuple):
    """One item's picture."""

    item_id: str
    image: str
    """As the catalogue has it, below the folder of the pictures."""
    path: Location
    digest: str
    """Sha256 of the file in hex; empty if it cannot be read."""
    reason: str
    """Why it cannot be read, or empty."""


def read_pictures(rows: Sequence[tuple[str, str]], folder: ImageFolder) -> list[Picture]:
    """Digest every picture once.

    Args:
        rows: Item id and image per item.
        folder: Where the pictures are; nothing outside it is read.

    Returns:
        One picture per row, in the same order.

    Raises:
        InputError: Another filesystem does not answer.
    """
    images = list(dict.fromkeys(image for _, image in rows))

    def read(image: str) -> tuple[Location, str, str]:
        path = folder.folder / image
        try:
            if folder.find(image) != image:
                raise BadRowError("image not found in the folder catalog.images")
            return path, hashlib.sha256(read_picture(path)).hexdigest(), ""
        except (BadRowError, UnreadableImageError) as error:
            return path, "", str(error)

    # Reading waits for the disk or the network; digesting lets other threads run.
    readers = REMOTE_READERS if isinstance(folder.folder, RemotePath) else _READERS
    # Handing over one small file takes longer than to read it.
    size = max(1, min(_AT_ONCE, len(images) // (4 * readers)))
    some = [images[start : start + size] for start in range(0, len(images), size)]
    with ThreadPoolExecutor(readers) as pool:
        read_some = pool.map(lambda part: [read(image) for image in part], some)
        found = dict(zip(images, chain.from_iterable(read_some), strict=True))
    return [Picture(item_id, image, *found[image]) for item_id, image in rows]
