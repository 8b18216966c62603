"""Picture file -> RGB pixels, or the reason why not."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import simplejpeg
from PIL import ExifTags, Image, ImageColor, UnidentifiedImageError

from pipeline.core.location import Location
from pipeline.core.quiet import without_warnings
from pipeline.pictures.file import (
    PictureBytes,
    TooLargeError,
    UnreadableImageError,
    is_machine_trouble,
    read_picture,
)

MAX_PIXELS = 178_956_970
"""The limit at which Pillow itself refuses a picture as a decompression bomb."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""What cameras, phones and browsers make, in Pillow's names; its JPEG reads MPO too. HEIC comes on
top for a catalogue's pictures. Pillow knows dozens more, of which some start other programs."""

# EXIF orientation -> what turns the picture upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# What stands at bytes 8 to 12 of a HEIC file, whose box is called `ftyp`.
_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}


class Decoded(NamedTuple):
    """A picture as it is meant to be seen."""

    image: Image.Image
    """RGB."""
    pixels: int
    """Width times height of what the file holds."""


def decode_image(
    path: Location | PictureBytes,
    background: str,
    max_pixels: int = MAX_PIXELS,
    least_side: int | None = None,
) -> Decoded:
    """`decode_bytes` of a file.

    Raises:
        UnreadableImageError: The file is missing, truncated, too large or no picture.
        InputError: Another filesystem does not answer.
    """
    return decode_bytes(read_picture(path), background, max_pixels, least_side)


def decode_bytes(
    data: bytes, background: str, max_pixels: int = MAX_PIXELS, least_side: int | None = None
) -> Decoded:
    """Decode a picture as it is meant to be seen.

    EXIF orientation is applied, transparent pixels are laid over the background colour, the first
    frame of an animation is taken, and every colour mode becomes RGB.

    Args:
        data: The bytes of the file.
        background: Colour as `#rrggbb`.
        max_pixels: Width times height above which a picture is refused before it is decoded.
        least_side: A colour JPEG may come out at 7/8, 3/4, ... 1/8 of its size as long as no side
            gets shorter than this, which takes a fraction of the time; None: at its own size.

    Raises:
        UnreadableImageError: The bytes are truncated, too large or no picture.
    """
    with _reasons(), _open(data) as image:
        _require_pixels(image, max_pixels)
        pixels = image.width * image.height
        return Decoded(_flatten(_load(image, data, least_side), background), pixels)


def format_of(data: bytes) -> str:
    """Name the format of a picture as Pillow does, by its first bytes; it is not decoded.

    Raises:
        UnreadableImageError: The bytes are no picture in a known format.
    """
    if not data:
        raise UnreadableImageError("file is empty")
    with _reasons(), _open(data) as image:
        return image.format or ""


def pixels_of(data: bytes) -> int:
    """Width times height of a picture by what its first bytes say; it is not decoded.

    Raises:
        UnreadableImageError: The bytes are no picture in a known format.
    """
    with _reasons(), _open(data) as image:
        return image.width * image.height


def upright_rgb(image: Image.Image, background: str, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Give a picture that Pillow has opened, in any mode, the treatment of `decode_bytes`.

    Raises:
        UnreadableImageError: The picture is truncated or too large.
    """
    with _reasons():
        _require_pixels(image, max_pixels)
        return _flatten(_upright(image), background)


def too_many_pixels(pixels: int, max_pixels: int) -> str:
    """The reason why a picture of so many pixels is refused."""
    return f"too many pixels ({pixels}, image.max_pixels is {max_pixels})"


def installed(formats: Sequence[str]) -> list[str]:
    """Those formats that the installed Pillow has: it raises KeyError for the name of another."""
    Image.init()
    return [name for name in formats if name in Image.OPEN]


@contextmanager
def _reasons() -> Iterator[None]:
    try:
        yield
    except UnreadableImageError:
        raise
    except UnidentifiedImageError as error:
        raise UnreadableImageError("not a picture in a known format") from error
    except Image.DecompressionBombError as error:
        raise TooLargeError(f"too many pixels ({error})") from error
    except Exception as error:
        if is_machine_trouble(error):
            raise
        # Damage makes Pillow's decoders raise almost anything (TypeError, IndexError, ...), and one
        # odd picture must not end the extraction of all.
        said = " ".join(str(error).split())
        reason = f"broken picture ({type(error).__name__}: {said})"
        raise UnreadableImageError(reason) from error


def _require_pixels(image: Image.Image, max_pixels: int) -> None:
    pixels = image.width * image.height
    if pixels > max_pixels:
        raise TooLargeError(too_many_pixels(pixels, max_pixels))


def _flatten(image: Image.Image, background: str) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode == "I" or image.mode.startswith("I;16"):
        # Pillow's own conversion clips 16-bit grey to white instead of scaling it.
        image = image.convert("I").point(lambda value: value / 257).convert("L")
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image if image.mode == "RGBA" else image.convert("RGBA")
    # The numbers of alpha_composite over an opaque colour, in half the time.
    flat = Image.new("RGB", image.size, ImageColor.getrgb(background))
    flat.paste(layer, mask=layer)
    return flat


def _open(data: bytes) -> Image.Image:
    # Our own limit speaks; Pillow warns at half of its.
    with without_warnings(Image.DecompressionBombWarning):
        try:
            return Image.open(io.BytesIO(data), formats=installed(FORMATS))
        except UnidentifiedImageError:
            if data[4:8] != b"ftyp" or data[8:12] not in _HEIC_BRANDS:
                raise
            _teach_pillow_heic()
            return Image.open(io.BytesIO(data), formats=["HEIF"])


def _teach_pillow_heic() -> None:
    try:
        from pillow_heif import register_heif_opener
    except ModuleNotFoundError as error:
        raise UnreadableImageError(
            "HEIC picture; install the extra `heic` to read these"
        ) from error
    register_heif_opener()


def _load(image: Image.Image, data: bytes, least_side: int | None) -> Image.Image:
    """Decode and turn upright."""
    # At 0 the decoder does not scale; above the picture's own sides it would enlarge.
    least_width, least_height = (min(least_side or 0, side) for side in image.size)
    if image.format == "JPEG" and image.mode == "RGB":
        try:
            # The same library as Pillow's with the same settings, hence the same pixels, in a
            # third of the time.
            pixels = simplejpeg.decode_jpeg(
                data, "RGB", min_width=least_width, min_height=least_height
            )
        except ValueError:
            # What it refuses Pillow may still repair, or gives a reason why not.
            pass
        else:
            exif = image.info.get("exif")
            image = Image.fromarray(pixels)
            if exif:
                image.info["exif"] = exif
    return _upright(image)


def _upright(image: Image.Image) -> Image.Image:
    image.load()
    try:
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception as error:
        if is_machine_trouble(error):
            raise
        # EXIF breaks in as many ways, and the pixels are good.
        turn = None
    return image.copy() if turn is None else image.transpose(turn)
