import torch
from torch.nn import functional

from pipeline.evaluate.pacmap import pacmap


def clusters(count=40, groups=3, dim=16):
    generator = torch.Generator().manual_seed(0)
    centre_GD = torch.randn(groups, dim, generator=generator)
    group_N = torch.arange(count) % groups
    noise_ND = torch.randn(count, dim, generator=generator)
    return functional.normalize(centre_GD[group_N] + 0.2 * noise_ND, dim=1), group_N


def test_clusters_stay_together_and_apart():
    point_ND, group_N = clusters()
    place_N2 = pacmap(point_ND, point_ND[:, :2], seed=0)
    nearest_N = (torch.cdist(place_N2, place_N2) + 1e9 * torch.eye(40)).argmin(1)
    assert torch.equal(group_N[nearest_N], group_N)


def test_the_same_seed_gives_the_same_map_and_another_one_another():
    point_ND, _ = clusters()
    first = pacmap(point_ND, point_ND[:, :2], seed=0)
    assert torch.equal(first, pacmap(point_ND, point_ND[:, :2], seed=0))
    assert not torch.equal(first, pacmap(point_ND, point_ND[:, :2], seed=1))


def test_points_that_coincide_are_no_obstacle():
    point_ND, _ = clusters()
    point_ND[:20] = point_ND[0]
    assert torch.isfinite(pacmap(point_ND, point_ND[:, :2], seed=0)).all()
