"""A picture that came in through the page: checked before a decoder sees all of it."""

from pathlib import Path

from PIL import Image, UnidentifiedImageError

from pipeline.core.errors import InputError
from pipeline.pictures.decode import FORMATS, installed

MOST_MEGAPIXELS = 40
"""Decoding takes up to 12 bytes per pixel: half a gigabyte."""
MOST_BYTES = 20 * 2**20


def check_upload(path: Path) -> None:
    """Refuse what cannot be a picture of a sensible size; only the file's head is read.

    Raises:
        InputError: It is none of FORMATS, is damaged, or has too many pixels or bytes.
    """
    if path.stat().st_size > MOST_BYTES:
        raise InputError(f"The picture is larger than {MOST_BYTES // 2**20} MB: make it smaller.")
    try:
        with Image.open(path, formats=installed(FORMATS)) as image:
            width, height = image.size
    except Image.DecompressionBombError as error:
        raise InputError(
            f"The picture has too many pixels; {MOST_MEGAPIXELS} megapixels are the limit: "
            "make it smaller."
        ) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise InputError(
            f"This is not a picture that can be read; {', '.join(FORMATS)} can."
        ) from error
    megapixels = width * height / 1e6
    if megapixels > MOST_MEGAPIXELS:
        raise InputError(
            f"The picture has {megapixels:.0f} megapixels; {MOST_MEGAPIXELS} are the limit: "
            "make it smaller."
        )
