"""The 2-D map of the space: images, texts and both together on one plane.

Shape letters: N points, M fitted points, D embedding.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.evaluate.pacmap import pacmap
from pipeline.metrics.retrieval import nearest

MOST_FITTED = 10_000
"""Points that are laid out; all others are placed among them. Bounds time and memory."""
FEWEST_FITTED = 16
"""Below this many points PaCMAP has no neighbourhoods to keep."""
PLACED_BY = 5


class Plane(NamedTuple):
    """Points with their places."""

    point_MD: Tensor
    """[M, D] float32, rows of unit norm."""
    place_M2: Tensor
    """[M, 2] float32."""


def fit_plane(point_ND: Tensor, *, method: str, seed: int) -> Plane:
    """Lay out at most MOST_FITTED points.

    Args:
        point_ND: [N, D] float32, rows of unit norm.
        method: `pacmap`, or `pca`: two principal components, faster and less telling.
        seed: Of the points drawn when there are more, and of the layout.
    """
    if len(point_ND) > MOST_FITTED:
        generator = torch.Generator().manual_seed(seed)
        kept = torch.randperm(len(point_ND), generator=generator)[:MOST_FITTED].sort().values
        point_ND = point_ND[kept]
    place_N2 = _principal_components(point_ND)
    if method == "pacmap" and len(point_ND) >= FEWEST_FITTED:
        place_N2 = pacmap(point_ND, place_N2, seed=seed)
    return Plane(point_ND, place_N2)


def place(plane: Plane, point_ND: Tensor) -> Tensor:
    """Place points among the fitted ones: a fitted point on its own place, others between theirs.

    Returns:
        [N, 2] float32: mean place of the nearest fitted points, weighted by 1 / squared distance.
    """
    if len(plane.point_MD) == 0:
        return torch.zeros(len(point_ND), 2)
    found = nearest(point_ND, plane.point_MD, min(PLACED_BY, len(plane.point_MD)))
    weight_NC = 1 / (1 - found.scores).clamp(min=1e-6)
    weight_NC = weight_NC / weight_NC.sum(1, keepdim=True)
    # A point that coincides with a fitted one, up to rounding, takes its place alone.
    exact_N = found.scores[:, 0] > 1 - 1e-5
    weight_NC[exact_N] = 0
    weight_NC[exact_N, 0] = 1
    return torch.einsum("nc,ncx->nx", weight_NC, plane.place_M2[found.indices])


def _principal_components(point_ND: Tensor) -> Tensor:
    centred_ND = point_ND.double() - point_ND.double().mean(0)
    # The D x D covariance: its size does not grow with the points.
    vector_DD = torch.linalg.eigh(centred_ND.T @ centred_ND).eigenvectors
    axis_D2 = vector_DD[:, -2:].flip(1)
    # An eigenvector's sign is arbitrary: the entry of largest size is made positive.
    largest_2 = axis_D2.gather(0, axis_D2.abs().argmax(0, keepdim=True))
    return (centred_ND @ (axis_D2 * largest_2.sign())).float()
