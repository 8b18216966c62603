import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from pipeline.core.errors import InputError
from pipeline.explore import upload
from pipeline.explore.upload import Uploads, check_upload


def png_head(width, height):
    """A PNG that claims a size and whose pixels are not there."""
    body = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", body) + png_chunk(b"IDAT", b"")


def png_chunk(name, body):
    checksum = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", len(body)) + name + body + checksum


def picture(name="PNG", colour="red"):
    stream = BytesIO()
    Image.new("RGB", (30, 20), colour).save(stream, format=name)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_what_cameras_and_browsers_make_is_taken(name):
    check_upload(picture(name))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x89PNG\r\n\x1a\n",
    ],
)
def test_anything_else_is_refused(content):
    with pytest.raises(InputError, match="not a picture that can be read; JPEG, PNG"):
        check_upload(content)


def test_fifty_megapixels_are_refused_by_their_head_alone():
    with pytest.raises(InputError, match="50 megapixels; 40 are the limit: make it smaller"):
        check_upload(png_head(10_000, 5_000))
    with pytest.raises(InputError, match="too many pixels"):
        check_upload(png_head(60_000, 60_000))


def test_a_file_of_too_many_bytes_is_refused(monkeypatch):
    monkeypatch.setattr(upload, "MOST_BYTES", 1000)
    with pytest.raises(InputError, match="larger than"):
        check_upload(picture("BMP"))


def test_a_picture_is_found_by_its_digest():
    uploads = Uploads()
    digest = uploads.keep(picture())
    assert uploads.keep(picture()) == digest
    assert uploads.keep(picture(colour="blue")) != digest
    # Every time anew: two threads do not decode one picture.
    first, second = uploads.open(digest), uploads.open(digest)
    assert first is not second
    assert first.convert("RGB").getpixel((0, 0)) == (255, 0, 0)
    with pytest.raises(InputError, match="no longer kept here: choose it again"):
        uploads.open("ab12")
    with pytest.raises(InputError, match="not a picture"):
        uploads.keep(b"x")


def test_those_go_that_nobody_has_asked_with_for_the_longest_time(monkeypatch):
    one, two, three = (picture("BMP", colour) for colour in ("red", "green", "blue"))
    monkeypatch.setattr(upload, "MOST_KEPT", 2 * len(one))
    uploads = Uploads()
    first, second = uploads.keep(one), uploads.keep(two)
    uploads.open(first)
    third = uploads.keep(three)
    uploads.open(first)
    uploads.open(third)
    with pytest.raises(InputError, match="no longer kept"):
        uploads.open(second)
