import math

import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.train.objectives.huse import HuseObjective
from pipeline.train.objectives.objective import LossSettings

ADJACENCY = torch.tensor([[0.0, 0.3, 1.1], [0.3, 0.0, 0.7], [1.1, 0.7, 0.0]])
SETTINGS = {
    "alpha": 1.5,
    "beta": 2.0,
    "gamma": 0.5,
    "margin": 0.9,
    "relaxation": "paper",
    "kernel": "reference",
    "precision": "fp32",
    "triplet_margin": 0.2,
    "cme_margin": 0.9,
    "adamine_margin": 0.3,
    "adamine_class_weight": 0.3,
}


@pytest.fixture
def batch(make_model, make_pairs):
    pairs = make_pairs(7)
    return make_model()(pairs.image_NI, pairs.text_NT), pairs.label_N


def objective(**changed):
    psi = torch.nn.functional.normalize(torch.ones(3, 4), dim=1)
    return HuseObjective(ADJACENCY, psi, LossSettings(**{**SETTINGS, **changed}))


def dot(x, y):
    return sum(a * b for a, b in zip(x.tolist(), y.tolist(), strict=True))


def class_by_loops(output, labels):
    """HUSE eq. 8: mean of -log softmax over the 2B embeddings."""
    total = 0.0
    for logits_BK in (output.image_logits_BK, output.text_logits_BK):
        for logits, label in zip(logits_BK.tolist(), labels.tolist(), strict=True):
            total -= logits[label] - math.log(sum(math.exp(value) for value in logits))
    return total / (2 * len(labels))


def graph_by_loops(output, labels, margin):
    """HUSE eq. 10-11 over all ordered pairs of the 2B embeddings of both modalities."""
    points = [*output.image_BD, *output.text_BD]
    classes = [*labels.tolist(), *labels.tolist()]
    total = 0.0
    for x, one in zip(points, classes, strict=True):
        for y, other in zip(points, classes, strict=True):
            distance, target = 1 - dot(x, y), ADJACENCY[one, other].item()
            if target < margin and distance < margin:
                total += (distance - target) ** 2
    return total / len(points) ** 2


def gap_by_loops(output):
    """HUSE eq. 12: mean distance between an item's image and its text."""
    pairs = zip(output.image_BD, output.text_BD, strict=True)
    return sum(1 - dot(x, y) for x, y in pairs) / len(output.image_BD)


def test_total_and_parts_equal_plain_loops(batch):
    output, labels = batch
    total, parts = objective()(output, labels)
    expected = {
        "class": class_by_loops(output, labels),
        "graph": graph_by_loops(output, labels, 0.9),
        "gap": gap_by_loops(output),
    }
    assert {name: part.item() for name, part in parts.items()} == pytest.approx(expected, abs=1e-5)
    assert total.item() == pytest.approx(
        1.5 * expected["class"] + 2.0 * expected["graph"] + 0.5 * expected["gap"], abs=1e-5
    )
    # The parts are plain numbers; the total leads back to the towers.
    assert not any(part.requires_grad for part in parts.values())
    assert total.requires_grad


@pytest.mark.parametrize(
    ("weight", "name"), [("alpha", "class"), ("beta", "graph"), ("gamma", "gap")]
)
def test_a_part_of_weight_zero_is_left_out(batch, weight, name):
    total, parts = objective(**{weight: 0.0})(*batch)
    _, all_parts = objective()(*batch)
    weights = {"class": 1.5, "graph": 2.0, "gap": 0.5}
    assert set(parts) == set(weights) - {name}
    expected = sum(weights[part] * all_parts[part].item() for part in parts)
    assert total.item() == pytest.approx(expected, abs=1e-6)


def test_nothing_to_minimise_is_an_input_error(batch):
    with pytest.raises(InputError, match="nothing to minimise"):
        objective(alpha=0.0, beta=0.0, gamma=0.0)(*batch)


def test_the_margin_decides_which_pairs_count(batch):
    output, labels = batch
    for margin in (0.25, 0.5, 2.0):
        _, parts = objective(margin=margin)(output, labels)
        assert parts["graph"].item() == pytest.approx(
            graph_by_loops(output, labels, margin), abs=1e-5
        )


@pytest.mark.parametrize("kernel", ["auto", "tiled"])
@pytest.mark.parametrize("relaxation", ["none", "paper", "hinge"])
def test_kernels_agree_on_loss_and_gradient(make_model, make_pairs, kernel, relaxation):
    pairs = make_pairs(7)
    gradients = []
    for chosen in ("reference", kernel):
        model = make_model()
        output = model(pairs.image_NI, pairs.text_NT)
        total, _ = objective(kernel=chosen, relaxation=relaxation)(output, pairs.label_N)
        total.backward()
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    assert torch.allclose(gradients[0], gradients[1], atol=1e-6)


def test_bf16_reaches_the_graph_loss(batch):
    output, labels = batch
    exact, rounded = (
        objective(kernel="tiled", relaxation="none", precision=precision)(output, labels)[1][
            "graph"
        ].item()
        for precision in ("fp32", "bf16")
    )
    assert exact != rounded
    assert rounded == pytest.approx(exact, rel=0.02)
