"""Small pictures for reports."""

from pathlib import Path

from PIL import Image

from pipeline.image.decode import decode_image


def thumbnail(path: Path, side: int, background: str) -> Image.Image:
    """Read a picture and scale it to fit a square.

    Args:
        path: A picture that the image stage could read.
        side: Length of the square in pixels.
        background: Colour under transparent pixels, `#rrggbb`.

    Returns:
        RGB image whose longer side is `side`.
    """
    image = decode_image(path, background)
    scale = side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BICUBIC)
