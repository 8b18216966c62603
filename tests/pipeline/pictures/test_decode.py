import io
import struct
import sys

import numpy as np
import pytest
from PIL import Image, ImageOps

from pipeline.pictures.decode import decode_bytes, decode_image, upright_rgb
from pipeline.pictures.file import UnreadableImageError

# Left half red, right half blue; 4 wide, 2 high.
HALVES = np.array([[[255, 0, 0]] * 2 + [[0, 0, 255]] * 2] * 2, dtype=np.uint8)
GREY16 = np.array([[0, 65535], [100 * 257, 200 * 257]], dtype=np.uint16)


def pixels(path, background="#00ff00"):
    image = decode_image(path, background).image
    assert image.mode == "RGB"
    return np.asarray(image).tolist()


def reason(path):
    with pytest.raises(UnreadableImageError) as caught:
        decode_image(path, "#ffffff")
    return str(caught.value)


def grey(values):
    return [[[value] * 3 for value in row] for row in values]


def tiff(samples, *, order):
    """A grey 16-bit TIFF of 2 x 2 pixels; order is `<` or `>`."""
    tags = {256: 2, 257: 2, 258: 16, 259: 1, 262: 1, 273: 8, 277: 1, 278: 2, 279: 8}
    entries = b"".join(struct.pack(f"{order}HHIHH", tag, 3, 1, n, 0) for tag, n in tags.items())
    header = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 16)
    data = samples.astype(f"{order}u2").tobytes()
    return header + data + struct.pack(f"{order}H", len(tags)) + entries + bytes(4)


@pytest.mark.parametrize("kind", ["png", "bmp", "tiff", "gif"])
def test_a_plain_picture_keeps_its_pixels(tmp_path, kind):
    Image.fromarray(HALVES).save(tmp_path / f"x.{kind}")
    assert pixels(tmp_path / f"x.{kind}") == HALVES.tolist()


@pytest.mark.parametrize("kind", ["jpg", "webp"])
def test_a_compressed_picture_keeps_its_colours(tmp_path, kind):
    Image.fromarray(HALVES).resize((64, 32), Image.Resampling.NEAREST).save(tmp_path / f"x.{kind}")
    found = np.array(pixels(tmp_path / f"x.{kind}"))
    assert np.abs(found[16, 8] - [255, 0, 0]).max() < 20
    assert np.abs(found[16, 56] - [0, 0, 255]).max() < 20


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (1, lambda x: x),
        (2, np.fliplr),
        (3, lambda x: np.rot90(x, 2)),
        (4, np.flipud),
        (5, lambda x: x.swapaxes(0, 1)),
        (6, lambda x: np.rot90(x, -1)),
        (7, lambda x: np.rot90(x, 2).swapaxes(0, 1)),
        (8, lambda x: np.rot90(x, 1)),
    ],
)
def test_exif_orientation_is_applied(tmp_path, orientation, turn):
    stored = np.arange(18, dtype=np.uint8).reshape(2, 3, 3) * 10
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(tmp_path / "x.png", exif=exif)
    assert pixels(tmp_path / "x.png") == turn(stored).tolist()


def test_alpha_is_laid_over_the_background(tmp_path):
    rgba = np.array([[[10, 20, 30, 0], [10, 20, 30, 255], [200, 100, 0, 51]]], dtype=np.uint8)
    Image.fromarray(rgba).save(tmp_path / "x.png")
    # A fifth of the last pixel shows: 0.2 x 200 = 40; 0.2 x 100 + 0.8 x 255 = 224.
    assert pixels(tmp_path / "x.png") == [[[0, 255, 0], [10, 20, 30], [40, 224, 0]]]
    assert pixels(tmp_path / "x.png", "#000000") == [[[0, 0, 0], [10, 20, 30], [40, 20, 0]]]
    # As Pillow composes them, whatever the alpha and the colour.
    value, alpha = np.mgrid[:256, :256].astype(np.uint8)
    layer = Image.fromarray(np.stack([value] * 3 + [alpha], axis=-1))
    layer.save(tmp_path / "x.png")
    expected = Image.alpha_composite(Image.new("RGBA", layer.size, "#7f01ff"), layer)
    assert pixels(tmp_path / "x.png", "#7f01ff") == np.asarray(expected)[:, :, :3].tolist()


def test_grey_with_alpha_is_laid_over_the_background(tmp_path):
    image = Image.fromarray(np.array([[[80, 255], [80, 0]]], dtype=np.uint8), mode="LA")
    image.save(tmp_path / "x.png")
    assert pixels(tmp_path / "x.png") == [[[80, 80, 80], [0, 255, 0]]]


def test_a_palette_becomes_colours(tmp_path):
    image = Image.new("P", (3, 1))
    image.putpalette([255, 0, 0, 0, 0, 255, 9, 9, 9])
    image.putdata([0, 1, 2])
    image.save(tmp_path / "plain.png")
    image.save(tmp_path / "holes.png", transparency=1)
    image.save(tmp_path / "alphas.png", transparency=bytes([0, 255, 255]))
    assert pixels(tmp_path / "plain.png") == [[[255, 0, 0], [0, 0, 255], [9, 9, 9]]]
    assert pixels(tmp_path / "holes.png") == [[[255, 0, 0], [0, 255, 0], [9, 9, 9]]]
    assert pixels(tmp_path / "alphas.png") == [[[0, 255, 0], [0, 0, 255], [9, 9, 9]]]


def test_one_transparent_colour_is_laid_over_the_background(tmp_path):
    Image.fromarray(HALVES).save(tmp_path / "x.png", transparency=(0, 0, 255))
    assert pixels(tmp_path / "x.png") == [[[255, 0, 0]] * 2 + [[0, 255, 0]] * 2] * 2


@pytest.mark.parametrize(("mode", "white"), [("L", 255), ("1", 1)])
def test_grey_and_black_and_white(tmp_path, mode, white):
    image = Image.new(mode, (2, 1))
    image.putpixel((1, 0), white)
    image.save(tmp_path / "x.png")
    assert pixels(tmp_path / "x.png") == grey([[0, 255]])


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path):
    expected = grey([[0, 255], [100, 200]])
    Image.fromarray(GREY16).save(tmp_path / "x.png")
    (tmp_path / "little.tif").write_bytes(tiff(GREY16, order="<"))
    (tmp_path / "big.tif").write_bytes(tiff(GREY16, order=">"))
    for name in ("x.png", "little.tif", "big.tif"):
        assert pixels(tmp_path / name) == expected, name


def test_cmyk_becomes_the_colours_it_prints(tmp_path):
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "x.jpg")
    assert np.abs(np.array(pixels(tmp_path / "x.jpg")) - [255, 0, 0]).max() < 6


def test_one_pixel_is_a_picture(tmp_path):
    Image.new("RGB", (1, 1), (1, 2, 3)).save(tmp_path / "x.png")
    assert pixels(tmp_path / "x.png") == [[[1, 2, 3]]]


@pytest.mark.parametrize("kind", ["gif", "png", "webp"])
def test_an_animation_gives_its_first_frame(tmp_path, kind):
    frames = [Image.new("RGB", (2, 2), colour) for colour in ("red", "blue", "white")]
    lossless = {"lossless": True} if kind == "webp" else {}
    frames[0].save(tmp_path / f"x.{kind}", save_all=True, append_images=frames[1:], **lossless)
    assert pixels(tmp_path / f"x.{kind}") == [[[255, 0, 0]] * 2] * 2


def test_the_content_counts_and_not_the_name(tmp_path):
    Image.fromarray(HALVES).save(tmp_path / "x.png")
    (tmp_path / "x.png").rename(tmp_path / "x.jpg")
    assert pixels(tmp_path / "x.jpg") == HALVES.tolist()


def test_what_is_no_picture_has_a_reason(tmp_path):
    (tmp_path / "text.jpg").write_text("not found (404)")
    (tmp_path / "empty.png").write_bytes(b"")
    assert reason(tmp_path / "missing.png") == "file not found"
    assert reason(tmp_path / "text.jpg") == "not a picture in a known format"
    assert reason(tmp_path / "empty.png") == "file is empty"
    assert reason(tmp_path) == "a folder, not a file"


@pytest.mark.filterwarnings("ignore:Truncated File Read")
@pytest.mark.parametrize("kind", ["jpg", "png", "gif", "webp", "tiff", "bmp"])
def test_a_truncated_picture_is_refused_at_every_length(tmp_path, kind):
    noise = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / f"x.{kind}")
    whole = (tmp_path / f"x.{kind}").read_bytes()
    for length in range(0, len(whole) * 9 // 10, len(whole) // 40):
        (tmp_path / f"x.{kind}").write_bytes(whole[:length])
        assert reason(tmp_path / f"x.{kind}")


def test_a_decoder_that_gives_up_in_its_own_way_is_a_reason_too(tmp_path):
    data = bytearray(tiff(GREY16, order="<"))
    # The place of the pixels, the sixth entry of twelve bytes, becomes a text: Pillow raises
    # TypeError.
    data[16 + 2 + 5 * 12 + 2] = 2
    (tmp_path / "x.tif").write_bytes(data)
    assert reason(tmp_path / "x.tif").startswith("broken picture (TypeError: ")


@pytest.mark.parametrize(
    "content",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n%%EOF\n",
        b"P6 1 1 255\nabc",
    ],
)
def test_no_other_format_is_read_whatever_the_name(tmp_path, content):
    (tmp_path / "x.jpg").write_bytes(content)
    assert reason(tmp_path / "x.jpg") == "not a picture in a known format"


@pytest.mark.parametrize(
    "damaged",
    [
        # A width that is a float where EXIF has integers, a resolution that is a text.
        struct.pack("<HHIf", 0x0100, 11, 1, 1.5),
        struct.pack("<HHI4s", 0x011A, 2, 4, b"abc"),
    ],
)
def test_damaged_camera_data_does_not_keep_a_picture_from_being_turned(tmp_path, damaged):
    entries = sorted([damaged, struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)])
    exif = b"Exif\0\0II*\0\x08\0\0\0\x02\0" + b"".join(entries) + bytes(4)
    Image.fromarray(HALVES).save(tmp_path / "x.jpg", exif=exif)
    assert np.asarray(pixels(tmp_path / "x.jpg")).shape == (4, 2, 3)


def test_a_picture_whose_camera_data_cannot_be_read_is_taken_as_it_lies(tmp_path):
    Image.fromarray(HALVES).save(tmp_path / "x.png", exif=b"Exif\0\0not TIFF")
    assert pixels(tmp_path / "x.png") == HALVES.tolist()


def test_a_picture_of_too_many_pixels_is_refused(tmp_path, monkeypatch):
    Image.fromarray(HALVES).save(tmp_path / "x.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3)
    assert reason(tmp_path / "x.png").startswith("too many pixels (")


def test_the_limit_on_pixels_is_the_callers(tmp_path):
    Image.fromarray(HALVES).save(tmp_path / "x.png")
    assert decode_image(tmp_path / "x.png", "#ffffff", 8).image.size == (4, 2)
    with pytest.raises(
        UnreadableImageError, match=r"too many pixels \(8, image\.max_pixels is 7\)"
    ):
        decode_image(tmp_path / "x.png", "#ffffff", 7)


def test_a_file_that_may_not_be_read_is_a_reason(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    assert reason(tmp_path / "a" / "b.png") == "cannot be read (Not a directory)"
    assert reason(tmp_path / ("x" * 300)) == "cannot be read (File name too long)"


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("orientation", [None, 3, 6])
def test_jpegs_have_pillows_pixels(progressive, subsampling, orientation):
    noise = np.random.default_rng(0).integers(0, 256, (9, 8, 3), dtype=np.uint8)
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    file = io.BytesIO()
    Image.fromarray(noise).resize((61, 47), Image.Resampling.BICUBIC).save(
        file, "JPEG", quality=80, progressive=progressive, subsampling=subsampling, exif=exif
    )
    expected = ImageOps.exif_transpose(Image.open(file)).convert("RGB")
    found = decode_bytes(file.getvalue(), "#ffffff").image
    assert np.array_equal(np.asarray(found), np.asarray(expected))


def test_a_jpeg_with_a_tail_or_a_damaged_middle_is_what_pillow_makes_of_it():
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, "JPEG")
    data = file.getvalue()
    damaged = bytearray(data)
    damaged[len(data) // 2] ^= 255
    for variant in (data + b"tail", bytes(damaged)):
        expected = Image.open(io.BytesIO(variant)).convert("RGB")
        found = decode_bytes(variant, "#ffffff").image
        assert np.array_equal(np.asarray(found), np.asarray(expected))


def jpeg(width: int, height: int) -> bytes:
    """A smooth picture; red grows to the right, green downwards."""
    across, down = np.linspace(0, 255, width), np.linspace(0, 255, height)
    ramp = np.zeros((height, width, 3), dtype=np.uint8)
    ramp[:, :, 0], ramp[:, :, 1] = across[None, :], down[:, None]
    file = io.BytesIO()
    Image.fromarray(ramp).save(file, "JPEG", quality=95)
    return file.getvalue()


@pytest.mark.parametrize(
    ("size", "least", "expected"),
    [
        ((400, 800), None, (400, 800)),
        ((400, 800), 100, (100, 200)),
        ((400, 800), 101, (150, 300)),  # 2/8 is too short, the next is 3/8
        ((400, 800), 400, (400, 800)),
        ((40, 80), 100, (40, 80)),  # never enlarged
        ((3, 800), 100, (3, 600)),  # 3 x 6/8 is still 3
        ((400, 800), 1, (50, 100)),
    ],
)
def test_large_jpegs_may_come_out_smaller(size, least, expected):
    found, pixels = decode_bytes(jpeg(*size), "#ffffff", least_side=least)
    assert found.size == expected
    assert pixels == size[0] * size[1]
    if min(size) > 3:
        exact = decode_bytes(jpeg(*size), "#ffffff").image.resize((20, 20))
        difference = np.asarray(found.resize((20, 20)), int) - np.asarray(exact, int)
        assert np.abs(difference).max() <= 3


@pytest.mark.parametrize("kind", ["avif", "heic"])
def test_formats_of_phones_are_read(tmp_path, kind):
    if kind == "heic":
        pytest.importorskip("pillow_heif", reason="needs the extra `heic`").register_heif_opener()
    Image.fromarray(HALVES).resize((64, 64), Image.Resampling.NEAREST).save(tmp_path / f"x.{kind}")
    found = np.array(pixels(tmp_path / f"x.{kind}"))
    assert np.abs(found[32, 8] - [255, 0, 0]).max() < 20


def test_heic_without_its_package_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "x.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    assert reason(tmp_path / "x.heic") == "HEIC picture; install the extra `heic` to read these"


def test_an_opened_picture_is_treated_like_a_file(tmp_path):
    rgba = np.array([[[10, 20, 30, 0], [10, 20, 30, 255]]], dtype=np.uint8)
    Image.fromarray(rgba).save(tmp_path / "x.png")
    opened = upright_rgb(Image.open(tmp_path / "x.png"), "#00ff00")
    assert np.asarray(opened).tolist() == pixels(tmp_path / "x.png")
    with pytest.raises(UnreadableImageError, match="too many pixels"):
        upright_rgb(Image.open(tmp_path / "x.png"), "#00ff00", 1)
