"""Small pictures for reports."""

from PIL import Image

from pipeline.core.location import Location
from pipeline.pictures.decode import decode_image
from pipeline.pictures.file import UnreadableImageError


def thumbnail(path: Location, side: int, background: str) -> Image.Image:
    """Read a picture and scale it to fit a square.

    Args:
        path: The picture; a grey square stands for one that cannot be read.
        side: Length of the square in pixels.
        background: Colour under transparent pixels, `#rrggbb`.

    Returns:
        RGB image whose longer side is `side`.
    """
    try:
        # A photograph need not be decoded at its full size for a stamp of it.
        image = decode_image(path, background, least_side=2 * side).image
    except UnreadableImageError:
        return Image.new("RGB", (side, side), "#999999")
    scale = side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BICUBIC)
