"""Lays one picture over another: the crop, scale and shift with which they agree best.

Shape letters: B pairs of pictures, S side of a square in pixels.

A picture is a square of float32 in 0..1, whatever its sides were: so a crop is a scale and a shift
along each side. The four numbers are found by Gauss and Newton's method on the squared difference
(Lucas and Kanade 1981), from small squares to large ones, where only what both show counts.
"""

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

COARSE = 16
STARTS = (1.0, 0.875, 1 / 0.875)
"""Scales that are begun with: the same cut, and either picture a part of the other."""
LEAST_SHARED = 0.5
"""Of the square that both have to show."""
_SCALES = (0.6, 1.6)
_LARGEST_SHIFT = 0.5
_LARGEST_STEP = 0.15
_DAMPING = 1e-3
_STEPS = {16: 3, 32: 5, 64: 4}
"""More find no more copies."""


def align(first: Tensor, second: Tensor) -> Tensor:
    """Align squares of side COARSE from several starts.

    Returns:
        [B, 4]: scale and shift along x and y that take a place of the second picture to one of the
        first; places run from -1 to 1.
    """
    found = []
    for scale in STARTS:
        start_B4 = first.new_tensor([scale, scale, 0.0, 0.0]).repeat(len(first), 1)
        found.append(_descend(first, second, start_B4))
    error_3B = torch.stack([_error(first, second, pose_B4) for pose_B4 in found])
    return torch.stack(found)[error_3B.argmin(dim=0), torch.arange(len(first))]


def refine(first_B3SS: Tensor, second_B3SS: Tensor, pose_B4: Tensor) -> Tensor:
    """Align more exactly on larger squares; a pose that gets no better stays."""
    finer_B4 = _descend(first_B3SS, second_B3SS, pose_B4)
    better_B = _error(first_B3SS, second_B3SS, finer_B4) < _error(first_B3SS, second_B3SS, pose_B4)
    return torch.where(better_B[:, None], finer_B4, pose_B4)


def lay_over(picture_B3SS: Tensor, pose_B4: Tensor) -> tuple[Tensor, Tensor]:
    """Show the first picture as the second one cuts it.

    Returns:
        [B, 3, S, S], and [B, 1, S, S] of 1 where the first picture has something to show, else 0.
    """
    side = picture_B3SS.shape[-1]
    place_S = _places(side)
    x_BS = pose_B4[:, 0:1] * place_S + pose_B4[:, 2:3]
    y_BS = pose_B4[:, 1:2] * place_S + pose_B4[:, 3:4]
    shape = (len(pose_B4), side, side)
    place_BSS2 = torch.stack([x_BS[:, None].expand(shape), y_BS[..., None].expand(shape)], dim=-1)
    # Beyond the middle of the outermost pixels colours would be made up.
    inside_BSS = (place_BSS2.abs() <= 1 - 1 / side + 1e-4).all(dim=-1)
    laid = grid_sample(picture_B3SS, place_BSS2, padding_mode="border", align_corners=False)
    return laid, inside_BSS[:, None].to(picture_B3SS.dtype)


def _descend(first: Tensor, second: Tensor, pose_B4: Tensor) -> Tensor:
    for _ in range(_STEPS[first.shape[-1]]):
        pose_B4 = _step(first, second, pose_B4)
    return pose_B4


def _step(first: Tensor, second: Tensor, pose_B4: Tensor) -> Tensor:
    side = first.shape[-1]
    laid, inside = lay_over(first, pose_B4)
    # Central differences per unit of place, of which a pixel is 2 / S.
    along_x, along_y = torch.zeros_like(laid), torch.zeros_like(laid)
    along_x[..., 1:-1] = (laid[..., 2:] - laid[..., :-2]) * (side / 4)
    along_y[..., 1:-1, :] = (laid[..., 2:, :] - laid[..., :-2, :]) * (side / 4)
    place_S = _places(side)
    slopes = [along_x * place_S, along_y * place_S[:, None], along_x, along_y]
    slope_B4P = (torch.stack(slopes, dim=1) * inside[:, None]).flatten(2)
    rest_BP = ((second - laid) * inside).flatten(1)
    normal_B44 = slope_B4P @ slope_B4P.transpose(1, 2)
    damping_B = _DAMPING * normal_B44.diagonal(dim1=1, dim2=2).mean(dim=1) + 1e-6
    normal_B44 = normal_B44 + damping_B[:, None, None] * torch.eye(4)
    step_B4 = torch.linalg.solve(normal_B44, slope_B4P @ rest_BP[..., None])[..., 0]
    step_B4 = step_B4.clamp(-_LARGEST_STEP, _LARGEST_STEP)
    scale_B2, shift_B2 = pose_B4[:, :2], pose_B4[:, 2:]
    # The step is one of the picture as it lies: first it, then the pose until now.
    scale, shift = scale_B2 * (1 + step_B4[:, :2]), shift_B2 + scale_B2 * step_B4[:, 2:]
    shift = shift.clamp(-_LARGEST_SHIFT, _LARGEST_SHIFT)
    return torch.cat([scale.clamp(*_SCALES), shift], dim=1)


def _error(first: Tensor, second: Tensor, pose_B4: Tensor) -> Tensor:
    """[B] mean squared difference where both show something; infinite if that is too little."""
    laid, inside = lay_over(first, pose_B4)
    square_B1SS = (second - laid).square().mean(dim=1, keepdim=True) * inside
    shared_B = inside.mean(dim=(1, 2, 3))
    error_B = square_B1SS.mean(dim=(1, 2, 3)) / shared_B.clamp(min=LEAST_SHARED)
    return torch.where(shared_B < LEAST_SHARED, torch.inf, error_B)


def _places(side: int) -> Tensor:
    """[S] middles of the pixels from -1 to 1."""
    return (torch.arange(side) + 0.5) * (2 / side) - 1
