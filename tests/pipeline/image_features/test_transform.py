import numpy as np
import pytest
from PIL import Image
from torchvision.transforms import v2

from pipeline.image_features.transform import Transform

ZERO, ONE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


def noise(width, height):
    blocks = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize((width, height), Image.Resampling.BICUBIC)


def make(resize, size=32, scale=36, interpolation="bicubic", fill=(0, 0, 0)):
    return Transform(resize, size, scale, interpolation, ZERO, ONE, fill)


SIZES = [(32, 32), (36, 36), (50, 41), (41, 50), (33, 200), (37, 36), (1, 1), (300, 20)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_crop_is_torchvisions_resize_and_centre_crop(size, interpolation):
    mode = v2.InterpolationMode(interpolation)
    theirs = v2.Compose([v2.Resize(36, mode), v2.CenterCrop(32)])
    image = noise(*size)
    found = make("crop", interpolation=interpolation).square(image)
    assert np.array_equal(found, np.asarray(theirs(image)))


@pytest.mark.parametrize("size", SIZES)
def test_squash_is_torchvisions_resize_of_both_sides(size):
    theirs = v2.Compose([v2.Resize((36, 36), v2.InterpolationMode.BICUBIC), v2.CenterCrop(32)])
    image = noise(*size)
    assert np.array_equal(make("squash").square(image), np.asarray(theirs(image)))


def test_pad_shows_all_of_the_picture_in_the_middle():
    image = Image.new("RGB", (64, 16), (10, 20, 30))
    square = make("pad", scale=32, fill=(1, 2, 3)).square(image)
    assert square.shape == (32, 32, 3)
    assert (square[12:20] == [10, 20, 30]).all()
    assert (square[:12] == [1, 2, 3]).all()
    assert (square[20:] == [1, 2, 3]).all()


@pytest.mark.parametrize("resize", ["crop", "squash", "pad"])
@pytest.mark.parametrize("size", [(1, 5000), (5000, 1), (20000, 1)])
def test_strips_work(resize, size):
    image = Image.new("RGB", size, (9, 9, 9))
    assert make(resize, scale=32).square(image).shape == (32, 32, 3)


def test_of_a_strip_the_middle_is_seen():
    pixels = np.zeros((1, 5001, 3), dtype=np.uint8)
    pixels[:, 2500] = 255
    assert make("crop", scale=32).square(Image.fromarray(pixels))[16, 16].min() > 200


def test_choices_take_the_place_of_what_the_weights_want():
    preset = make("crop", size=224, scale=256, interpolation="bilinear")
    assert preset.changed() == preset
    half = preset.changed(size=112)
    assert (half.size, half.scale, half.resize) == (112, 128, "crop")
    whole = preset.changed(resize="squash", size=160, interpolation="lanczos")
    assert (whole.size, whole.scale, whole.resize) == (160, 160, "squash")
    assert whole.interpolation == "lanczos"
    grey = preset.changed(mean=(0.5, 0.5, 0.5), std=(0.2, 0.4, 1.0))
    assert grey.mean == (127.5, 127.5, 127.5)
    assert grey.std == pytest.approx((51.0, 102.0, 255.0))


def test_a_transform_survives_as_text():
    transform = make("pad", fill=(1, 2, 3))
    assert Transform.from_json(transform.to_json()) == transform
    for text in ("", "{}", "[]", transform.to_json().replace("pad", "stretch")):
        with pytest.raises(ValueError, match=r"transform|Expecting|unknown"):
            Transform.from_json(text)
