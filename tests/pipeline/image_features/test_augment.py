import numpy as np
import pytest
from PIL import Image

from pipeline.image_features.augment import RECIPES, augmented
from pipeline.image_features.transform import Transform

TRANSFORM = Transform("squash", 224, 224, "bilinear", (0.0,) * 3, (1.0,) * 3)


def view(image, recipe, number, *, digest=bytes(32), background="#ffffff"):
    return augmented(
        image,
        recipe=recipe,
        content_digest=digest,
        view=number,
        transform=TRANSFORM,
        background=background,
    )


def ramp(width, height):
    """Red grows with x and green with y, 1 per pixel."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    return Image.fromarray(np.stack([x, y, 0 * x], axis=2).astype(np.uint8))


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("size", [(256, 256), (90, 60), (1, 1), (1, 5000)])
def test_the_same_picture_and_view_give_the_same_pixels(recipe, size):
    image = ramp(*size)
    before = np.asarray(image).copy()
    first = view(image, recipe, 1)
    assert first.shape == (224, 224, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, view(image, recipe, 1))
    assert np.array_equal(np.asarray(image), before)


@pytest.mark.parametrize("recipe", RECIPES)
def test_another_view_and_another_picture_give_other_pixels(recipe):
    image = ramp(250, 200)
    first = view(image, recipe, 1)
    assert not np.array_equal(first, view(image, recipe, 2))
    assert not np.array_equal(first, view(image, recipe, 1, digest=bytes([1] * 32)))


def test_crop_a_takes_seven_eighths_of_the_short_side_anywhere():
    corners = []
    for number in range(1, 30):
        pixels = view(ramp(250, 128), "crop_a", number).astype(int)
        # 128 x 224 / 256 = 112 pixels are seen, in both directions, not mirrored.
        assert np.ptp(pixels[..., 0]) == pytest.approx(112, abs=2)
        assert np.ptp(pixels[..., 1]) == pytest.approx(112, abs=2)
        assert (np.diff(pixels[0, :, 0]) >= 0).all()
        corners.append((pixels[0, 0, 0], pixels[0, 0, 1]))
    left, top = zip(*corners, strict=True)
    assert min(left) < 30 < 100 < max(left) <= 250 - 112
    assert min(top) < 5 < 11 < max(top) <= 128 - 112


def test_rotate_flip_b_turns_a_little_and_mirrors_half_of_the_time():
    mirrored = 0
    for number in range(1, 41):
        pixels = view(ramp(200, 200), "rotate_flip_b", number, background="#0000ff").astype(int)
        middle = pixels[112, 90:134]
        slope = np.polyfit(np.arange(44), middle[:, 0], 1)[0]
        rise = np.polyfit(np.arange(44), middle[:, 1], 1)[0]
        assert abs(np.degrees(np.arctan(rise / slope))) < 16
        mirrored += slope < 0
        if abs(rise / slope) > 0.05:
            # A corner that the rotation laid bare has the background's colour.
            assert [0, 0, 255] in pixels[[0, 0, -1, -1], [0, -1, 0, -1]].tolist()
    assert 8 < mirrored < 32


def test_crop_flip_sees_at_least_half_of_the_area():
    for number in range(1, 30):
        pixels = view(ramp(200, 240), "crop_flip", number).astype(int)
        seen = np.ptp(pixels[..., 0]) * np.ptp(pixels[..., 1])
        assert 0.47 < seen / (200 * 240) <= 1
