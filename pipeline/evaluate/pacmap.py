"""PaCMAP: a map of a space in the plane that keeps neighbours and the larger shape.

Wang, Huang, Rudin and Shaposhnik, "Understanding how dimension reduction tools work" (JMLR 2021),
section 5. Written with whole-matrix steps, so that it needs no compiler and gives the same map for
the same seed.

Shape letters: N points, D embedding, C partners or candidates of a point.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pipeline.metrics.retrieval import nearest

NEAR, MID_NEAR, FURTHER = 10, 5, 20
"""Pairs per point, as in the paper."""
EXTRA = 50
"""Neighbours looked at beyond those that become pairs: dense points would take them all."""
STEPS = 450
FAR = 10_000.0


class _Partners(NamedTuple):
    """Indices [N, C] of the points that each point is paired with, by kind of pair."""

    near: np.ndarray
    mid_near: np.ndarray
    further: np.ndarray


def pacmap(point_ND: Tensor, start_N2: Tensor, *, seed: int) -> Tensor:
    """Lay points out in the plane.

    Args:
        point_ND: [N, D] float32, rows of unit norm, N at least 8.
        start_N2: [N, 2] first layout, for example two principal components.
        seed: Of the pairs that are drawn.

    Returns:
        [N, 2] float32.
    """
    generator = torch.Generator().manual_seed(seed)
    N = len(point_ND)
    partners = _Partners(
        _near(point_ND).numpy(),
        _mid_near(point_ND, generator).numpy(),
        # A neighbour among the drawn ones does no harm: there are few of them.
        torch.randint(0, N, (N, FURTHER), generator=generator).numpy(),
    )
    # numpy: torch adds into rows by index an order of magnitude slower than `bincount` does.
    place_2N = 0.01 * start_N2.T.numpy()
    mean_2N, square_2N = np.zeros_like(place_2N), np.zeros_like(place_2N)
    for step in range(1, STEPS + 1):
        gradient_2N = _gradient(place_2N, partners, step)
        # Adam with the paper's settings.
        mean_2N += 0.1 * (gradient_2N - mean_2N)
        square_2N += 0.001 * (gradient_2N**2 - square_2N)
        rate = (1 - 0.999**step) ** 0.5 / (1 - 0.9**step)
        place_2N = place_2N - rate * mean_2N / (np.sqrt(square_2N) + 1e-7)
    return torch.from_numpy(np.ascontiguousarray(place_2N.T, dtype=np.float32))


def _near(point_ND: Tensor) -> Tensor:
    """Each point's nearest ones, by distance relative to how dense both surroundings are."""
    itself_N = torch.arange(len(point_ND))
    found = nearest(
        point_ND,
        point_ND,
        min(NEAR + EXTRA, len(point_ND) - 1),
        query_group_M=itself_N,
        gallery_group_N=itself_N,
    )
    # Of unit vectors: |x - y|^2 = 2 - 2 cos.
    square_NC = (2 - 2 * found.scores).clamp(min=0)
    width_N = square_NC[:, 3:6].sqrt().mean(1).clamp(min=1e-3)
    scaled_NC = square_NC / (width_N[:, None] * width_N[found.indices])
    order_NC = scaled_NC.argsort(dim=1, stable=True)[:, :NEAR]
    return found.indices.gather(1, order_NC)


def _mid_near(point_ND: Tensor, generator: torch.Generator) -> Tensor:
    """Each point with the second nearest of six drawn points, several times."""
    N = len(point_ND)
    columns = []
    for _ in range(MID_NEAR):
        drawn_N6 = torch.randint(0, N, (N, 6), generator=generator)
        score_N6 = torch.einsum("nd,nkd->nk", point_ND, point_ND[drawn_N6])
        second_N = score_N6.topk(2, dim=1).indices[:, 1:]
        columns.append(drawn_N6.gather(1, second_N))
    return torch.cat(columns, dim=1)


def _weights(step: int) -> tuple[float, float]:
    """Weights of near and mid-near pairs: first the large shape, then the neighbourhoods."""
    if step <= 100:
        share = (step - 1) / 100
        return 2.0, 1000 * (1 - share) + 3 * share
    return (3.0, 3.0) if step <= 200 else (1.0, 0.0)


def _gradient(place_2N: np.ndarray, partners: _Partners, step: int) -> np.ndarray:
    """Gradient of  w_near d/(10+d) + w_mid d/(10000+d) + 1/(1+d)  with d = |y_i - y_j|^2 + 1."""
    near, mid_near = _weights(step)
    total_2N = np.zeros_like(place_2N)
    for partner_NC, weight, scale in (
        (partners.near, near, 10.0),
        (partners.mid_near, mid_near, FAR),
        (partners.further, -1.0, 1.0),
    ):
        if weight == 0:
            continue
        difference_2NC = place_2N[:, :, None] - place_2N[:, partner_NC]
        d_NC = (difference_2NC**2).sum(0) + 1
        # (d / (s + d))' = s / (s + d)^2 and (1 / (1 + d))' = -1 / (1 + d)^2. A point paired with
        # itself adds nothing.
        pull_2NC = difference_2NC * (2 * weight * scale / (scale + d_NC) ** 2)
        total_2N += pull_2NC.sum(2)
        for total_N, pull_NC in zip(total_2N, pull_2NC, strict=True):
            total_N -= np.bincount(partner_NC.ravel(), pull_NC.ravel(), minlength=len(total_N))
    return total_2N
