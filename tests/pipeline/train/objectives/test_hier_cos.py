import math

import pytest
import torch

from pipeline.train.objectives.hier_cos import hier_cos_loss, target_shares, tree_nodes

# Paths a, a<x<1, a<x<2, b<z: a is a parent and a class, b<z has no sibling.
LEVEL_KL = torch.tensor([[0, 0, 0], [0, 1, 1], [0, 1, 2], [1, 2, 3]])
# Nodes: all of a; the class a; all of a<x; a<x<1; a<x<2; b<z.
DEPTH_KM = torch.tensor(
    [[1, 2, 0, 0, 0, 0], [1, 0, 2, 3, 0, 0], [1, 0, 2, 0, 3, 0], [0, 0, 0, 0, 0, 1]]
)


def naive_loss(embedding, labels, scale, level_weight, signed):
    total, rows = 0.0, DEPTH_KM.tolist()
    depth_of = [max(row[node] for row in rows) for node in range(6)]
    points = [[scale * value for value in row] for row in embedding]
    for x, label in zip(points, labels, strict=True):
        path = [node for node in range(6) if rows[label][node]]
        raw = {node: math.exp(2 / (len(path) + 1 - rows[label][node])) for node in path}
        logits = x if signed else [abs(value) for value in x]
        log_sum = math.log(sum(math.exp(value) for value in logits))
        for node in path:
            share = raw[node] / sum(raw.values())
            total += share * (math.log(share) - (logits[node] - log_sum)) / len(labels)
    for depth in (1, 2, 3):
        nodes = [node for node in range(6) if depth_of[node] == depth]
        terms = {True: [], False: []}
        for x, label in zip(points, labels, strict=True):
            size = [max(x[node], 0.0) if signed else abs(x[node]) for node in nodes]
            own = [1.0 if rows[label][node] else 0.0 for node in nodes]
            norm = math.hypot(*size)
            off = sum(abs(o - s / norm) for o, s in zip(own, size, strict=True)) if norm else 1.0
            terms[any(own)].append(off if any(own) else sum(size))
        total += level_weight * sum(sum(t) / len(t) for t in terms.values() if t)
    return total


@pytest.fixture
def embedding_NM():
    x = torch.randn(7, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return torch.nn.functional.normalize(x, dim=1)


LABEL_N = torch.tensor([0, 1, 2, 3, 1, 3, 0])


def test_nodes_are_sets_of_classes():
    assert torch.equal(tree_nodes(LEVEL_KL), DEPTH_KM)


def test_shares_of_a_path_worked_by_hand():
    # Three nodes: exp(2/3) 1.9477340, exp(1) 2.7182818, exp(2) 7.3890561, their sum 12.0550719
    expected = [1.9477340 / 12.0550719, 2.7182818 / 12.0550719, 7.3890561 / 12.0550719]
    share_M = target_shares(DEPTH_KM)[1]
    assert share_M[[0, 2, 3]].tolist() == pytest.approx(expected)
    assert target_shares(DEPTH_KM).sum(dim=1).tolist() == pytest.approx([1.0] * 4)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("level_weight", [0.0, 0.3])
def test_equals_loops(embedding_NM, signed, level_weight):
    own = {"scale": 5.0, "level_weight": level_weight, "signed": signed}
    found = hier_cos_loss(embedding_NM, LABEL_N, DEPTH_KM, **own)
    expected = naive_loss(embedding_NM.tolist(), LABEL_N.tolist(), **own)
    assert found.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("signed", [False, True])
def test_gradient_is_the_slope_of_the_loss(embedding_NM, signed):
    embedding_NM.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: hier_cos_loss(x, LABEL_N, DEPTH_KM, scale=5.0, level_weight=0.3, signed=signed),
        embedding_NM,
    )


def test_a_point_without_any_coordinate_has_a_gradient():
    point = -torch.eye(6)[:4].requires_grad_()
    leaf = torch.zeros(4, 6, requires_grad=True)
    for x in (point, leaf):
        loss = hier_cos_loss(x, torch.arange(4), DEPTH_KM, scale=5.0, level_weight=0.3, signed=True)
        (gradient,) = torch.autograd.grad(loss, x)
        assert gradient.isfinite().all()
