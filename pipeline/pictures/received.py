"""A picture that somebody sends: whether it may be decoded, by its bytes as they are."""

from pipeline.pictures.decode import format_of, pixels_of
from pipeline.pictures.file import TooLargeError

MOST_SCANS = 40
"""Passes of a progressive JPEG over its pixels; cameras and editors make ten or so. A small file
with thousands would keep the decoder busy for minutes."""


def require_decodable(data: bytes, max_pixels: int) -> None:
    """Refuse a picture that takes too much to decode; nothing of it is decoded yet.

    Raises:
        TooLargeError: It has more than `max_pixels`, or is a JPEG of more than MOST_SCANS scans.
        UnreadableImageError: It is no picture in a known format.
    """
    pixels = pixels_of(data)
    if pixels > max_pixels:
        raise TooLargeError(
            f"{pixels / 1e6:.0f} megapixels; {max_pixels / 1e6:g} are the limit: make it smaller"
        )
    if format_of(data) in ("JPEG", "MPO") and data.count(b"\xff\xda") > MOST_SCANS:
        raise TooLargeError(f"a JPEG of more than {MOST_SCANS} scans: save it again")
