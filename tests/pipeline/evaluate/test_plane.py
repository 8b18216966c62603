import pytest
import torch
from torch.nn import functional

from pipeline.evaluate.plane import MOST_FITTED, fit_plane, place


def points(count, dim=6, seed=0):
    return functional.normalize(
        torch.randn(count, dim, generator=torch.Generator().manual_seed(seed)), dim=1
    )


@pytest.mark.parametrize("method", ["pacmap", "pca"])
def test_a_fitted_point_keeps_its_place(method):
    point_ND = points(60)
    plane = fit_plane(point_ND, method=method, seed=0)
    torch.testing.assert_close(place(plane, point_ND), plane.place_M2)


def test_another_point_lies_among_its_nearest_fitted_ones():
    point_ND = points(60)
    plane = fit_plane(point_ND, method="pca", seed=0)
    new_1D = functional.normalize(point_ND[3:4] + 0.2 * point_ND[4:5], dim=1)
    nearest_5 = (point_ND @ new_1D[0]).topk(5).indices
    low, high = plane.place_M2[nearest_5].amin(0), plane.place_M2[nearest_5].amax(0)
    found = place(plane, new_1D)[0]
    assert (low <= found).all()
    assert (found <= high).all()


def test_principal_components_are_the_directions_of_largest_spread():
    # In the plane spanned by the first two axes, wider along the first.
    angle_N = torch.linspace(-0.6, 0.6, 50)
    tilt_N = 0.1 * torch.cos(40 * angle_N)
    point_ND = functional.normalize(
        torch.stack([angle_N.sin(), tilt_N, angle_N.cos()], dim=1), dim=1
    )
    plane = fit_plane(point_ND, method="pca", seed=0)
    first = torch.corrcoef(torch.stack([plane.place_M2[:, 0], point_ND[:, 0]]))[0, 1]
    second = torch.corrcoef(torch.stack([plane.place_M2[:, 1], point_ND[:, 1]]))[0, 1]
    assert abs(first) > 0.99
    assert abs(second) > 0.95


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_few_points_have_a_place_too(count):
    plane = fit_plane(points(count), method="pacmap", seed=0)
    assert torch.isfinite(place(plane, points(count))).all()
    assert place(plane, points(3)).shape == (3, 2)


def test_only_some_of_very_many_points_are_laid_out():
    point_ND = points(MOST_FITTED + 5)
    plane = fit_plane(point_ND, method="pca", seed=0)
    assert len(plane.point_MD) == MOST_FITTED
    assert place(plane, point_ND[-5:]).shape == (5, 2)
