import io

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from pipeline.audit.same_picture import LARGE, SMALL, difference, look_alike


def shape(fill="#3060c0", mouth="smile"):
    """A drawn face on white."""
    image = Image.new("RGB", (224, 224), "white")
    pen = ImageDraw.Draw(image)
    pen.ellipse((30, 20, 190, 200), fill=fill, outline="black", width=6)
    pen.ellipse((75, 70, 95, 95), fill="black")
    pen.ellipse((130, 70, 150, 95), fill="black")
    angles, box = ((20, 160), (70, 90, 155, 160))
    if mouth == "frown":
        angles, box = ((200, 340), (70, 130, 155, 200))
    pen.arc(box, *angles, fill="black", width=10)
    return image


def as_jpeg(image, quality=50):
    data = io.BytesIO()
    image.save(data, "JPEG", quality=quality)
    return Image.open(data).convert("RGB")


def squares(image, side):
    pixels = np.asarray(image.resize((side, side), Image.Resampling.BILINEAR))
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255


def are_the_same(one, other):
    passed, pose_B4 = look_alike(squares(one, SMALL), squares(other, SMALL))
    return bool(passed) and bool(
        difference(squares(one, LARGE), squares(other, LARGE), pose_B4) <= 1
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image,
        as_jpeg,
        lambda image: image.resize((120, 120)),
        lambda image: image.crop((10, 8, 210, 212)),
        lambda image: as_jpeg(image.crop((10, 8, 210, 212)).resize((150, 150))),
    ],
    ids=["itself", "JPEG", "scaled", "crop", "crop, scaled, JPEG"],
)
def test_a_changed_copy_is_the_same_picture(change):
    assert are_the_same(shape(), change(shape()))
    assert are_the_same(change(shape()), shape())


@pytest.mark.parametrize(
    "other",
    [shape(fill="#c03030"), shape(mouth="frown"), shape().rotate(180)],
    ids=["colour", "mouth", "turned"],
)
def test_what_differs_in_a_colour_or_a_place_is_another_picture(other):
    assert not are_the_same(shape(), other)


@pytest.mark.parametrize("colour", ["#808080", "#838383", "#ff0000"])
def test_flat_colours_say_nothing(colour):
    flat = Image.new("RGB", (64, 64), "#808080")
    assert not are_the_same(flat, Image.new("RGB", (64, 64), colour))
