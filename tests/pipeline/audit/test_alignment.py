import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.audit.alignment import COARSE, align, lay_over, refine


def drawn(seed, side=256):
    """A picture of soft spots."""
    small = np.random.default_rng(seed).integers(0, 255, (7, 7, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC)


def square(image, side):
    pixels = np.asarray(image.resize((side, side), Image.Resampling.BILINEAR))
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255


@pytest.mark.parametrize(
    ("left", "top", "right", "bottom"), [(0, 0, 256, 256), (20, 6, 240, 226), (0, 40, 250, 256)]
)
def test_the_cut_of_a_crop_is_found_in_either_direction(left, top, right, bottom):
    whole = drawn(0)
    crop = whole.crop((left, top, right, bottom))
    # Places run from -1 to 1: half the width is the scale, the middle the shift.
    scale = [(right - left) / 256, (bottom - top) / 256]
    shift = [(left + right) / 256 - 1, (top + bottom) / 256 - 1]
    pose_14 = align(square(whole, COARSE), square(crop, COARSE))
    for side in (32, 64):
        pose_14 = refine(square(whole, side), square(crop, side), pose_14)
    assert pose_14[0].tolist() == pytest.approx(scale + shift, abs=0.02)
    back_14 = align(square(crop, COARSE), square(whole, COARSE))
    back_14 = refine(square(crop, 32), square(whole, 32), back_14)
    inverse = [1 / one for one in scale] + [-b / a for a, b in zip(scale, shift, strict=True)]
    assert back_14[0].tolist() == pytest.approx(inverse, abs=0.04)


def test_a_picture_that_lies_as_it_is_stays_the_same():
    picture = square(drawn(1), 32)
    laid, inside = lay_over(picture, torch.tensor([[1.0, 1.0, 0.0, 0.0]]))
    torch.testing.assert_close(laid, picture)
    assert inside.min() == 1


def test_beyond_its_edge_a_picture_shows_nothing():
    _, inside = lay_over(square(drawn(1), 32), torch.tensor([[1.0, 1.0, 0.5, 0.0]]))
    # A quarter of the width is to the right of the first picture.
    assert inside[0, 0, 0].tolist() == [1.0] * 24 + [0.0] * 8


def test_no_pair_is_no_pose():
    none = torch.empty(0, 3, COARSE, COARSE)
    assert align(none, none).shape == (0, 4)
