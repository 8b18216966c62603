import math

import pytest
import torch
from torch.autograd import gradcheck
from torch.nn import functional

from pipeline.train.losses.path_contrast import path_contrast_loss

# Four classes: 0 and 1 under one parent, 2 and 3 under another.
LEVEL_KL = torch.tensor([[0, 0], [0, 1], [1, 2], [1, 3]])


def by_loops(points, labels, temperature):
    total = 0.0
    for level, weight in ((0, 1 / 3), (1, 2 / 3)):
        for a, x in enumerate(points):
            similar = [(x @ y).item() / temperature for y in points]
            others = [b for b in range(len(points)) if b != a]
            log_sum = math.log(sum(math.exp(similar[b]) for b in others))
            node = LEVEL_KL[labels, level]
            same = [similar[b] for b in others if node[b] == node[a]]
            if same:
                total += weight * (log_sum - sum(same) / len(same)) / len(points)
    return total


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(1)
    point = functional.normalize(torch.randn(9, 5, generator=generator, dtype=torch.float64), dim=1)
    return point, torch.tensor([0, 0, 1, 2, 2, 2, 3, 0, 1])


@pytest.mark.parametrize("temperature", [0.05, 0.1, 1.0])
def test_equals_plain_loops(batch, temperature):
    found = path_contrast_loss(*batch, LEVEL_KL, temperature=temperature)
    assert found.item() == pytest.approx(by_loops(*batch, temperature), rel=1e-9)


def test_worked_by_hand():
    # Two of one class along one axis, one of another branch along the other; t = 1.
    point = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    loss = path_contrast_loss(point, torch.tensor([0, 0, 2]), LEVEL_KL, temperature=1.0)
    # The two: log(e^1 + e^0) - 1 at both levels; the third has nobody.
    assert loss.item() == pytest.approx(2 / 3 * (math.log(math.e + 1) - 1), rel=1e-6)


def test_the_gradient_is_that_of_the_loss(batch):
    point, label = batch
    point.requires_grad_()
    assert gradcheck(lambda x: path_contrast_loss(x, label, LEVEL_KL, temperature=0.5), point)


@pytest.mark.parametrize("labels", [[0], [0, 2], [3, 1, 2]])
def test_without_anybody_alike_there_is_no_loss_and_a_finite_gradient(labels):
    point = torch.eye(4)[: len(labels)].requires_grad_()
    level_KL = LEVEL_KL if len(labels) < 3 else torch.arange(4)[:, None]
    loss = path_contrast_loss(point, torch.tensor(labels), level_KL, temperature=0.1)
    loss.backward()
    assert loss.item() == 0.0
    assert point.grad.isfinite().all()


def test_siblings_end_up_nearer_than_strangers():
    point = torch.randn(16, 8, generator=torch.Generator().manual_seed(2)).requires_grad_()
    label = torch.arange(4).repeat(4)
    optimizer = torch.optim.Adam([point], lr=0.05)
    for _ in range(100):
        optimizer.zero_grad()
        unit = functional.normalize(point, dim=1)
        path_contrast_loss(unit, label, LEVEL_KL, temperature=0.5).backward()
        optimizer.step()
    unit = functional.normalize(point.detach(), dim=1)
    similarity = unit @ unit.T
    own, sibling, stranger = (similarity[label == 0][:, label == k].mean() for k in (0, 1, 2))
    assert own > sibling > stranger
