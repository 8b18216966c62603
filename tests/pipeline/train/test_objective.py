import math
import operator

import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.train.loss_settings import OBJECTIVES, LossSettings
from pipeline.train.objective import make_config, objective_of
from pipeline.train.objectives.adamine import adamine_loss
from pipeline.train.objectives.cme import cme_loss
from pipeline.train.objectives.hier_cos import hier_cos_loss
from pipeline.train.objectives.triplet import triplet_loss
from tests.shipped import shipped

MEMBERSHIP_KL = torch.tensor([[1.0, 0, 0, 1], [0, 1, 0, 0], [0, 1, 1, 1]])

# Per objective the weights of its parts, where section loss has alpha 1.5, beta 2, gamma 0.5 and
# delta 0.7.
WEIGHTS = {
    "huse": {"class": 1.5, "graph": 2.0, "gap": 0.5, "contrast": 0.7},
    "huse_p": {"class": 1.5, "projection": 2.0, "gap": 0.5},
    "devise": {"class": 1.0, "projection": 1.0},
    "hie": {"class": 1.5, "projection": 2.0},
    "separate": {"class": 1.0},
    "triplet": {"class": 1.0, "triplet": 1.0},
    "cme": {"class": 1.5, "pairs": 2.0},
    "adamine": {"class": 1.0, "triplets": 1.0},
    "hier_cos": {"class": 1.0, "subspace": 1.0, "gap": 0.5},
    "supcon_path": {"class": 1.5, "contrast": 1.0, "gap": 0.5},
}
OWN = {
    "triplet": {"margin": 0.6},
    "cme": {"margin": 0.7},
    "adamine": {"margin": 0.5, "class_weight": 0.25},
    "hier_cos": {"scale": 8.0, "level_weight": 0.2, "signed": True},
}


def mean(terms):
    terms = list(terms)
    return sum(terms) / len(terms)


def distance(x, y):
    return 1 - sum(a * b for a, b in zip(x.tolist(), y.tolist(), strict=True))


def cross_entropy(logits_BK, labels):
    rows = zip(logits_BK.tolist(), labels.tolist(), strict=True)
    return mean(math.log(sum(map(math.exp, logits))) - logits[label] for logits, label in rows)


def class_by_loops(_, output, labels):
    """HUSE eq. 8: mean of -log softmax over the 2B embeddings."""
    return mean(cross_entropy(logits, labels) for logits in output[2:4])


def graph_by_loops(objective, output, labels):
    """HUSE eq. 10-11 over all ordered pairs of the 2B embeddings of both modalities."""
    points = [*output.image_BD, *output.text_BD]
    classes, margin = [*labels.tolist(), *labels.tolist()], objective.loss.margin
    total = 0.0
    for x, one in zip(points, classes, strict=True):
        for y, other in zip(points, classes, strict=True):
            d, target = distance(x, y), objective.adjacency_KK[one, other].item()
            total += (d - target) ** 2 if target < margin and d < margin else 0.0
    return total / len(points) ** 2


def gap_by_loops(_, output, labels):
    """HUSE eq. 12: mean distance between an item's image and its text."""
    return mean(map(distance, output.image_BD, output.text_BD))


def projection_by_loops(objective, output, labels):
    """HUSE eq. 13: mean distance of both embeddings to the class name's."""
    names = zip(output.image_BD, output.text_BD, objective.class_embedding_KD[labels], strict=True)
    return mean(distance(image, name) + distance(text, name) for image, text, name in names)


def contrast_by_loops(objective, output, labels):
    """Mean over levels and the 2B embeddings of -log q of those that share the prefix."""
    points = torch.cat([output.image_BD, output.text_BD]).tolist()
    classes, temperature = [*labels.tolist()] * 2, objective.loss.temperature
    levels = objective.level_KL.tolist()
    weights = {level: level + 1 for level in range(len(levels[0]))}
    everyone, total = range(len(points)), 0.0
    for a in everyone:
        near = [sum(map(operator.mul, points[a], other)) / temperature for other in points]
        log_sum = math.log(sum(math.exp(near[n]) for n in everyone if n != a))
        for level, weight in weights.items():
            prefix = [levels[name][level] for name in classes]
            terms = [log_sum - near[p] for p in everyone if p != a and prefix[p] == prefix[a]]
            total += weight * mean(terms) if terms else 0.0
    return total / len(points) / sum(weights.values())


# The rivals' formulas are checked by hand and by loops in their own tests.
EXPECTED = {
    "class": class_by_loops,
    "graph": graph_by_loops,
    "gap": gap_by_loops,
    "contrast": contrast_by_loops,
    "projection": projection_by_loops,
    "triplet": lambda _, o, labels: triplet_loss(
        torch.cat(o[:2]), labels.repeat(2), **OWN["triplet"]
    ).item(),
    "pairs": lambda _, o, labels: cme_loss(*o[:2], **OWN["cme"]).item(),
    "subspace": lambda objective, o, labels: hier_cos_loss(
        torch.cat(o[:2]), labels.repeat(2), objective.depth_KM, **OWN["hier_cos"]
    ).item(),
    "triplets": lambda _, o, labels: adamine_loss(*o[:2], labels, **OWN["adamine"]).item(),
}


@pytest.fixture
def batch(make_model, make_pairs):
    """Forward pass of nine items by a small model, with the model and the labels."""

    def build(**changed):
        pairs, model = make_pairs(9), make_model(**changed)
        return model, model(pairs.image_NI, pairs.text_NT), pairs.label_N

    return build


def test_every_objective_is_tried():
    assert tuple(sorted(WEIGHTS)) == OBJECTIVES


@pytest.mark.parametrize("name", OBJECTIVES)
def test_total_and_parts_equal_plain_loops(name, make_objective, batch):
    objective = make_objective(name, **{name: OWN[name]} if name in OWN else {})
    dim = {"dim": objective.fixed_dim} if name == "hier_cos" else {}
    model, output, labels = batch(classifier=objective.classifier, **dim)
    total, parts = objective(output, labels)
    expected = {part: EXPECTED[part](objective, output, labels) for part in WEIGHTS[name]}
    assert {part: value.item() for part, value in parts.items()} == pytest.approx(expected, 1e-5)
    weighted = sum(weight * expected[part] for part, weight in WEIGHTS[name].items())
    assert total.item() == pytest.approx(weighted, rel=1e-5)
    # The parts are plain numbers; the total leads back to the towers.
    assert not any(part.requires_grad for part in parts.values())
    assert total.requires_grad
    assert len(model.classifiers) == (2 if name in ("cme", "hie", "separate") else 1)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_is_minimised_by_its_towers(name, make_model, make_pairs, make_objective):
    """Fifty steps on one batch lower the total, whichever the objective."""
    pairs, objective = make_pairs(24), make_objective(name)
    dim = {"dim": objective.fixed_dim} if name == "hier_cos" else {}
    model = make_model(classifier=objective.classifier, **dim)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    totals = []
    for _ in range(50):
        total, _ = objective(model(pairs.image_NI, pairs.text_NT), pairs.label_N)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        totals.append(total.item())
    assert totals[-1] < 0.7 * totals[0]


@pytest.mark.parametrize(
    ("weight", "name"),
    [("alpha", "class"), ("beta", "graph"), ("gamma", "gap"), ("delta", "contrast")],
)
def test_a_part_of_weight_zero_is_left_out(make_objective, batch, weight, name):
    _, *given = batch()
    total, parts = make_objective("huse", **{weight: 0.0})(*given)
    _, all_parts = make_objective("huse")(*given)
    assert set(parts) == set(WEIGHTS["huse"]) - {name}
    expected = sum(WEIGHTS["huse"][part] * all_parts[part].item() for part in parts)
    assert total.item() == pytest.approx(expected, abs=1e-6)


def test_nothing_to_minimise_is_an_input_error(make_objective, batch):
    objective = make_objective("huse", alpha=0.0, beta=0.0, gamma=0.0, delta=0.0)
    message = r"weights of class, graph, gap, contrast are all 0, .*; raise one of alpha"
    with pytest.raises(InputError, match=message):
        objective(*batch()[1:])


def test_a_negative_weight_is_refused(make_objective, batch, monkeypatch):
    # No value of params.yaml can be one; an objective of somebody's own may have it.
    objective = make_objective("huse")
    monkeypatch.setattr(objective, "parts", lambda *given: {"mine": (-1.0, lambda: torch.ones(()))})
    with pytest.raises(ValueError, match="weights need to be >= 0, that of mine is not"):
        objective(*batch()[1:])


@pytest.mark.parametrize("margin", [0.25, 0.5, 2.0])
def test_the_margin_decides_which_pairs_count(make_objective, batch, margin):
    objective = make_objective("huse", margin=margin)
    _, output, labels = batch()
    expected = graph_by_loops(objective, output, labels)
    assert objective(output, labels)[1]["graph"].item() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("kernel", ["auto", "tiled"])
@pytest.mark.parametrize("relaxation", ["none", "paper", "hinge"])
def test_kernels_agree_on_loss_and_gradient(make_objective, batch, kernel, relaxation):
    gradients = []
    for chosen in ("reference", kernel):
        model, output, labels = batch()
        make_objective("huse", kernel=chosen, relaxation=relaxation)(output, labels)[0].backward()
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    assert torch.allclose(*gradients, atol=1e-6)


def test_bf16_reaches_the_graph_loss(make_objective, batch):
    exact, rounded = (
        make_objective("huse", kernel="tiled", precision=precision)(*batch()[1:])[1]["graph"].item()
        for precision in ("fp32", "bf16")
    )
    assert exact != rounded
    assert rounded == pytest.approx(exact, rel=0.02)


def test_the_modalities_of_separate_models_do_not_meet(make_model, make_pairs, make_objective):
    """Other texts leave the image tower's gradient as it is."""
    gradients = []
    for text_seed in (0, 1):
        pairs, others = make_pairs(9), make_pairs(9, seed=text_seed)
        model = make_model(classifier="per_modality")
        output = model(pairs.image_NI, others.text_NT)
        make_objective("separate")(output, pairs.label_N)[0].backward()
        gradients.append(torch.cat([p.grad.flatten() for p in model.image_tower.parameters()]))
    assert torch.equal(*gradients)


def test_a_probe_does_not_move_the_towers(make_objective, batch):
    objective = make_objective("triplet", triplet=OWN["triplet"])
    gradients = []
    for alone in (False, True):
        model, output, labels = batch(classifier="probe")
        total = objective(output, labels)[0]
        if alone:
            total = triplet_loss(torch.cat(output[:2]), labels.repeat(2), **OWN["triplet"])
        total.backward()
        towers = (model.image_tower, model.text_tower)
        parameters = [parameter for tower in towers for parameter in tower.parameters()]
        gradients.append(torch.cat([parameter.grad.flatten() for parameter in parameters]))
    assert torch.equal(*gradients)
    assert gradients[0].abs().sum() > 0


def test_concatenation_judges_the_one_prediction(make_objective, batch):
    _, output, labels = batch(fusion="concat")
    expected = cross_entropy(output.fused_logits_BK, labels)
    found = make_objective("huse").class_loss(output, labels)
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_several_labels_are_judged_one_by_one(make_objective, batch):
    _, output, labels = batch(num_classes=4)
    terms = [
        -math.log(1 / (1 + math.exp(-z if has else z)))
        for logits_BK in output[2:4]
        for row, label in zip(logits_BK.tolist(), labels, strict=True)
        for z, has in zip(row, MEMBERSHIP_KL[label], strict=True)
    ]
    found = make_objective("huse", membership_KL=MEMBERSHIP_KL).class_loss(output, labels)
    assert found.item() == pytest.approx(sum(terms) / (2 * 9), rel=1e-5)


def test_class_embeddings_get_unit_norm(make_objective):
    # The graph's are three times as long.
    norm_K = make_objective("devise").class_embedding_KD.norm(dim=1)
    torch.testing.assert_close(norm_K, torch.ones(3))


def kind(name):
    return objective_of(shipped("loss", objective=name))


@pytest.mark.parametrize("name", OBJECTIVES)
def test_projecting_objectives_take_the_dimension_of_psi(make_pairs, name):
    sizes = shipped("model", dim=8)
    config = make_config(
        kind(name), sizes, make_pairs(4), psi_dim=50, num_classes=3, num_train=20_000
    )
    assert config.dim == (50 if name in {"devise", "hie", "hier_cos", "huse_p"} else 8)
    assert (config.image_features, config.text_features, config.num_classes) == (6, 4, 3)
    assert config.input_dropout == 0.25, "a half at 5,000 items, half of that at four times as many"


@pytest.mark.parametrize("name", ["cme", "hie", "separate"])
def test_concatenation_needs_one_classifier(make_pairs, name):
    sizes = shipped("model", fusion="concat")
    with pytest.raises(InputError, match=r"model.fusion: concat"):
        make_config(kind(name), sizes, make_pairs(4), psi_dim=50, num_classes=3, num_train=100)


def test_an_objective_gets_its_own_settings_and_no_others(make_objective):
    assert make_objective("triplet", triplet=OWN["triplet"]).own.margin == 0.6
    assert make_objective("huse").own is None
    assert isinstance(make_objective("huse").loss, LossSettings)
