"""A picture that came in through the page: checked before a decoder sees all of it, then kept."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from io import BytesIO
from threading import Lock

from PIL import Image

from pipeline.core.errors import InputError
from pipeline.pictures.decode import FORMATS, installed
from pipeline.pictures.file import TooLargeError, UnreadableImageError
from pipeline.pictures.received import require_decodable

MOST_MEGAPIXELS = 40
"""Decoding takes up to 12 bytes per pixel: half a gigabyte."""
MOST_BYTES = 20 * 2**20
"""Of one picture."""
MOST_KEPT = 10 * MOST_BYTES
"""Bytes of all that are kept."""


class Uploads:
    """Pictures that were asked with, in memory, so that a link to such a query finds them.

    When there are too many, those go that nobody has asked with for the longest time.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()

    def keep(self, data: bytes) -> str:
        """Keep a picture; returns its digest.

        Raises:
            InputError: `check_upload` refuses it.
        """
        check_upload(data)
        digest = hashlib.sha256(data).hexdigest()[:32]
        with self._lock:
            self._kept[digest] = data
            self._kept.move_to_end(digest)
            while sum(map(len, self._kept.values())) > MOST_KEPT:
                self._kept.popitem(last=False)
        return digest

    def open(self, digest: str) -> Image.Image:
        """Open a picture, which is not yet decoded.

        Raises:
            InputError: It is not kept, or no longer.
        """
        with self._lock:
            if digest not in self._kept:
                raise InputError(
                    "The picture of this search is no longer kept here: choose it again."
                )
            self._kept.move_to_end(digest)
            data = self._kept[digest]
        return Image.open(BytesIO(data), formats=installed(FORMATS))


def check_upload(data: bytes) -> None:
    """Refuse what cannot be a picture of a sensible size; only the head is read.

    Raises:
        InputError: It is none of FORMATS, is damaged, or has too many pixels or bytes.
    """
    check_size(len(data))
    try:
        require_decodable(data, MOST_MEGAPIXELS * 10**6)
    except TooLargeError as error:
        raise InputError(f"The picture cannot be used: {error}.") from error
    except UnreadableImageError as error:
        raise InputError(
            f"This is not a picture that can be read; {', '.join(FORMATS)} can."
        ) from error


def check_size(number: int) -> None:
    """Refuse a picture of too many bytes.

    Raises:
        InputError: There are more than MOST_BYTES.
    """
    if number > MOST_BYTES:
        raise InputError(f"The picture is larger than {MOST_BYTES // 2**20} MB: make it smaller.")
