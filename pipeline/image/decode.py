"""Picture file -> RGB pixels, or the reason why not."""

import struct
from pathlib import Path

from PIL import Image, ImageColor, ImageOps, UnidentifiedImageError


class UnreadableImageError(Exception):
    """A picture cannot be used; the message is the reason for the extraction report."""


def decode_image(path: Path, background: str) -> Image.Image:
    """Read a picture as it is meant to be seen.

    EXIF orientation is applied, transparent pixels are laid over the background colour, the first
    frame of an animation is taken, and every colour mode becomes RGB.

    Args:
        path: The file.
        background: Colour as `#rrggbb`.

    Returns:
        An RGB image.

    Raises:
        UnreadableImageError: The file is missing, truncated, too large or no picture.
    """
    try:
        with Image.open(path) as image:
            image.load()
            return _to_rgb(ImageOps.exif_transpose(image), background)
    except FileNotFoundError as error:
        raise UnreadableImageError("file not found") from error
    except UnidentifiedImageError as error:
        raise UnreadableImageError("not a picture in a known format") from error
    except Image.DecompressionBombError as error:
        raise UnreadableImageError(f"too many pixels ({error})") from error
    # Broken files make Pillow's decoders raise all of these.
    except (OSError, SyntaxError, ValueError, EOFError, RuntimeError, struct.error) as error:
        raise UnreadableImageError(f"broken picture ({error})") from error


def _to_rgb(image: Image.Image, background: str) -> Image.Image:
    if image.mode == "I" or image.mode.startswith("I;16"):
        # Pillow's own conversion clips 16-bit grey to white instead of scaling it.
        image = image.convert("I").point(lambda value: value / 257).convert("L")
    if not image.has_transparency_data:
        return image.convert("RGB")
    backdrop = Image.new("RGBA", image.size, ImageColor.getrgb(background))
    return Image.alpha_composite(backdrop, image.convert("RGBA")).convert("RGB")
