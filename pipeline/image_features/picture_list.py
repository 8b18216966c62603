"""The pictures of a catalogue as the catalogue stage knows them: by content."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pipeline.core.errors import BadRowError, InputError
from pipeline.pictures.file import UnreadableImageError, read_picture
from pipeline.pictures.folder import ImageFolder

CHANGED = "changed since stage catalog read it; run stage catalog again"
"""Why a picture is not used whose bytes are not those that its digest is of."""


class Picture(NamedTuple):
    """A picture of an item."""

    item_id: str
    image: str
    """As the catalogue has it, below the folder of the pictures."""
    digest: str
    """Sha256 of the file in hex; empty if it cannot be read."""
    reason: str
    """Why it cannot be read, or empty."""


def list_pictures(
    rows: Sequence[tuple[str, str]], digest_of: Mapping[str, str], folder: ImageFolder
) -> list[Picture]:
    """Put items, their pictures and the digests of those together.

    No file is read, apart from those without a digest: they tell why they have none.

    Args:
        rows: Item id and image per picture of an item.
        digest_of: Sha256 in hex by image, empty for a file that could not be read.
        folder: Where the pictures are; nothing outside it is read.

    Raises:
        InputError: An image is not in `digest_of`, another filesystem does not answer, or this
            machine has run out of something.
    """
    found: dict[str, tuple[str, str]] = {}
    for item_id, image in rows:
        if image not in digest_of:
            raise InputError(
                f"image_features: item {item_id}: stage catalog has no digest of {image}; run "
                "stage catalog again"
            )
        if image not in found:
            reason = _reason(image, digest_of[image], folder)
            found[image] = "" if reason else digest_of[image], reason
    return [Picture(item_id, image, *found[image]) for item_id, image in rows]


def _reason(image: str, digest: str, folder: ImageFolder) -> str:
    """Why a picture cannot be used, or nothing."""
    try:
        if folder.find(image) != image:
            raise BadRowError("image not found in the folder catalog.images")
        if not digest:
            read_picture(folder.folder / image)
            return CHANGED
    except (BadRowError, UnreadableImageError) as error:
        return str(error)
    return ""
