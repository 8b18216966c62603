"""Whether two pictures are one, but for a crop, a scale, a shift and the loss of a compression.

Shape letters: B pairs of pictures, S side of a square in pixels.

A threshold on a distance of embeddings cannot tell: on a catalogue of look-alikes different items
are as near as copies. Laid over each other a copy agrees everywhere, a look-alike not in some place
(an eye, a print, a colour), so the worst place decides. The limits lie where copies of both
catalogues of `benchmarks/duplicates.py` end and different items begin.
"""

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d

from pipeline.audit.alignment import COARSE, LEAST_SHARED, align, lay_over, refine

SMALL, LARGE = 32, 64
"""Sides of the squares for a first look at all pairs, and for those that pass it."""
PLAIN = 0.04
"""Standard deviation of the pixels below which there is little to compare: a flat colour, pale
jewellery on white."""
MOST_COARSE, MOST_SMALL = 0.5, 0.45
"""Difference of coarse and small squares as a whole, in standard deviations: beyond are 1 to 2 % of
the copies, and half or more of all candidates."""
MOST_SMALL_COLOUR = 0.1
"""Difference of the colour in a place of 4 pixels of a small square."""
MOST_STRUCTURE = 0.4
"""Difference in the worst place of 12 pixels, against what varies there."""
MOST_COLOUR = 0.04
"""Difference of the mean colour in the worst place of 8 pixels, of the whole range."""
_NOISE = 0.06
"""Variation that JPEG makes where a picture has none."""


def look_alike(first_B3SS: Tensor, second_B3SS: Tensor) -> tuple[Tensor, Tensor]:
    """Compare small squares, to drop most pairs.

    Returns:
        [B] bool, and the [B, 4] poses for `difference`.
    """
    coarse = [adaptive_avg_pool2d(one, COARSE) for one in (first_B3SS, second_B3SS)]
    pose_B4 = align(coarse[0], coarse[1])
    passed_B = _are_similar(coarse[0], coarse[1], pose_B4, MOST_COARSE)
    first, second, pose = first_B3SS[passed_B], second_B3SS[passed_B], pose_B4[passed_B]
    pose_B4[passed_B] = pose = refine(first, second, pose)
    laid, inside = lay_over(first, pose)
    colour = _worst(_places_mean(second - laid, inside, 4).abs(), inside, 4)
    passed_B[passed_B.clone()] = (colour < MOST_SMALL_COLOUR) & _are_similar(
        first, second, pose, MOST_SMALL
    )
    return passed_B, pose_B4


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


def _are_similar(first: Tensor, second: Tensor, pose_B4: Tensor, most: float) -> Tensor:
    """[B] bool: not plain, laid over each other for the most part, and much the same there."""
    laid, inside = lay_over(first, pose_B4)
    error_B = _mean((second - laid).square(), inside).mean(dim=1)
    variance_B3 = _mean(second.square(), inside) - _mean(second, inside).square()
    variance_B = variance_B3.mean(dim=1)
    are_laid_B = inside.mean(dim=(1, 2, 3)) >= LEAST_SHARED
    return are_laid_B & (variance_B > PLAIN**2) & (error_B < most**2 * variance_B)


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
