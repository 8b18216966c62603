"""The catalogue's pictures as a page shows them, by names that outlive what they are listed in.

A picture is asked for by such a name and by nothing else, so that no path comes from outside.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from io import BytesIO

from pipeline.core.location import Location
from pipeline.pictures.folder import picture_inside
from pipeline.pictures.thumbnail import thumbnail

KEPT = 2000
"""Served pictures that stay in memory, tens of kilobytes each."""


class Pictures:
    """Pictures of a list of items, drawn small when they are asked for."""

    def __init__(
        self, images: Location, files: Sequence[str], *, side: int, background: str
    ) -> None:
        """Draw none yet.

        Args:
            images: The folder of the pictures.
            files: Their paths there, empty for an item without.
            side: Length of the longer side of a drawn picture in pixels.
            background: Colour under transparent pixels, `#rrggbb`.
        """
        self._images, self._files = images, files
        self._side, self._background = side, background
        self._draw = lru_cache(KEPT)(self._drawn)

    def name(self, place: int) -> str:
        """Name the picture of a place in the list; see `picture_name`."""
        return picture_name(place, self._files[place])

    def draw(self, name: str) -> bytes | None:
        """Draw the picture of that name, a JPEG; None if there is none.

        Raises:
            InputError: The folder does not answer.
        """
        place = int(name.partition("-")[0]) if re.fullmatch("[0-9]{1,9}-[0-9a-f]{12}", name) else -1
        if not 0 <= place < len(self._files) or self.name(place) != name or not self._files[place]:
            return None
        found = picture_inside(self._images, self._files[place])
        return None if found is None else self._draw(found)

    def _drawn(self, picture: Location) -> bytes:
        buffer = BytesIO()
        thumbnail(picture, self._side, self._background).save(buffer, format="JPEG", quality=85)
        return buffer.getvalue()


def picture_name(place: int, file: str) -> str:
    """Name a picture by its place in a list and by a digest of its path.

    With another picture in that place, as in an index that was made anew, the name is nobody's.
    """
    return f"{place}-{sha256(file.encode()).hexdigest()[:12]}"
