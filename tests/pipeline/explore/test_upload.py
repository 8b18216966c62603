import struct
import zlib

import pytest
from PIL import Image

from pipeline.core.errors import InputError
from pipeline.explore import upload
from pipeline.explore.upload import check_upload


def png_head(width, height):
    """A PNG that claims a size and whose pixels are not there."""
    body = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", body) + png_chunk(b"IDAT", b"")


def png_chunk(name, body):
    checksum = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", len(body)) + name + body + checksum


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "gif", "bmp", "tiff", "avif"])
def test_what_cameras_and_browsers_make_is_taken(tmp_path, ending):
    Image.new("RGB", (30, 20), "red").save(tmp_path / f"x.{ending}")
    check_upload(tmp_path / f"x.{ending}")


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
def test_anything_else_is_refused_whatever_its_name(tmp_path, content):
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(InputError, match="not a picture that can be read; JPEG, PNG"):
        check_upload(tmp_path / "x.png")


def test_fifty_megapixels_are_refused_by_their_head_alone(tmp_path):
    (tmp_path / "x.png").write_bytes(png_head(10_000, 5_000))
    with pytest.raises(InputError, match="50 megapixels; 40 are the limit: make it smaller"):
        check_upload(tmp_path / "x.png")
    (tmp_path / "x.png").write_bytes(png_head(60_000, 60_000))
    with pytest.raises(InputError, match="too many pixels"):
        check_upload(tmp_path / "x.png")


def test_a_file_of_too_many_bytes_is_refused(tmp_path, monkeypatch):
    Image.new("RGB", (30, 20), "red").save(tmp_path / "x.bmp")
    monkeypatch.setattr(upload, "MOST_BYTES", 1000)
    with pytest.raises(InputError, match="larger than"):
        check_upload(tmp_path / "x.bmp")
