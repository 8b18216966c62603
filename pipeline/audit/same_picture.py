"""Whether two pictures are one, but for a crop, a scale, a shift and the loss of a compression.

Shape letters: B pairs of pictures, S side of a square in pixels.

A threshold on a distance of embeddings cannot tell: on a catalogue of look-alikes different items
are as near as copies. Laid over each other a copy agrees everywhere, a look-alike not in some place
(an eye, a print, a colour), so the worst place decides. The limits lie where copies of both
catalogues of `benchmarks/duplicates.py` end and different items begin.
"""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from pipeline.audit.alignment import LEAST_SHARED, align, lay_over, refine

SMALL, LARGE = 32, 64
"""Sides of the squares for a first look at all pairs, and for those that pass it."""
PLAIN = 0.02
"""Standard deviation of the pixels below which there is nothing to compare: a flat colour."""
FIRST_LOOK = (0.45, 0.1)
"""Most difference of the whole in standard deviations, and of the colour in a place."""
MOST_STRUCTURE = 0.35
"""Difference in the worst place of 12 pixels, against what varies there."""
MOST_COLOUR = 0.05
"""Difference of the mean colour in the worst place of 8 pixels, of the whole range."""
_NOISE = 0.06
"""Variation that JPEG makes where a picture has none."""


def look_alike(first_B3SS: Tensor, second_B3SS: Tensor) -> tuple[Tensor, Tensor]:
    """Compare small squares, to drop most pairs.

    Returns:
        [B] bool, and the [B, 4] poses for `difference`.
    """
    pose_B4 = align(first_B3SS, second_B3SS)
    laid, inside = lay_over(first_B3SS, pose_B4)
    shared_B = inside.mean(dim=(1, 2, 3))
    error_B = _mean((second_B3SS - laid).square(), inside).mean(dim=1)
    squares_B3, mean_B3 = _mean(second_B3SS.square(), inside), _mean(second_B3SS, inside)
    variance_B = (squares_B3 - mean_B3.square()).mean(dim=1)
    most, most_colour = FIRST_LOOK
    similar_B = error_B < most**2 * variance_B
    colour_B = _worst(_places_mean(second_B3SS - laid, inside, 4).abs(), inside, 4)
    passed = similar_B & (colour_B < most_colour) & (shared_B >= LEAST_SHARED)
    return passed & (variance_B > PLAIN**2), pose_B4


def difference(first_B3SS: Tensor, second_B3SS: Tensor, pose_B4: Tensor) -> Tensor:
    """Compare large squares: [B], at most 1 where both are the same picture.

    It is the larger of the differences of structure and colour, each over its limit.
    """
    pose_B4 = refine(first_B3SS, second_B3SS, pose_B4)
    laid, inside = lay_over(first_B3SS, pose_B4)
    colour_B = _worst(_places_mean(second_B3SS - laid, inside, 8).abs(), inside, 8)
    # Drawn lines lose their sharpness when they are scaled, which is no difference.
    laid, second = _blurred(laid), _blurred(second_B3SS)
    error = _places_mean((second - laid).square(), inside, 12).mean(dim=1, keepdim=True)
    varies = (_places_variance(laid, inside, 12) + _places_variance(second, inside, 12)) / 2
    structure_B = _worst((error / (varies + _NOISE**2)).sqrt(), inside, 12)
    found_B = torch.maximum(structure_B / MOST_STRUCTURE, colour_B / MOST_COLOUR)
    return torch.where(inside.mean(dim=(1, 2, 3)) < LEAST_SHARED, torch.inf, found_B)


def _mean(value: Tensor, inside: Tensor) -> Tensor:
    """[B, 3] means where both pictures show something."""
    return (value * inside).sum(dim=(2, 3)) / inside.sum(dim=(2, 3)).clamp(min=1)


def _places_mean(value: Tensor, inside: Tensor, side: int) -> Tensor:
    """Means in places of a square's side that overlap by half, of what both pictures show."""
    share = avg_pool2d(inside, side, side // 2)
    return avg_pool2d(value * inside, side, side // 2) / share.clamp(min=0.1)


def _places_variance(picture: Tensor, inside: Tensor, side: int) -> Tensor:
    """What a picture varies in such places, mean of the channels."""
    square, mean = (_places_mean(one, inside, side) for one in (picture.square(), picture))
    return (square - mean.square()).mean(dim=1, keepdim=True).clamp(min=0)


def _blurred(picture: Tensor) -> Tensor:
    return avg_pool2d(picture, 3, 1, 1, count_include_pad=False)


def _worst(value: Tensor, inside: Tensor, side: int) -> Tensor:
    """[B] largest value of any channel and place, of places that both pictures mostly show."""
    counts = avg_pool2d(inside, side, side // 2) > 0.55
    return torch.where(counts, value, 0.0).amax(dim=(1, 2, 3))
