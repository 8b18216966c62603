import math
from statistics import mean

import pytest
import torch

from pipeline.features.present import Present
from pipeline.model.towers import TowersOutput
from pipeline.train.loss_settings import OBJECTIVES
from pipeline.train.losses.present import embeddings, gap_of_pairs, of_pairs
from pipeline.train.objective import objective_of
from tests.shipped import shipped

LABELS = torch.tensor([0, 1, 2])
# One classifier per modality cannot be one on both.
PER_MODALITY = [
    name
    for name in OBJECTIVES
    if objective_of(shipped("loss", objective=name)).classifier == "per_modality"
]
CASES = [
    *((name, "product") for name in OBJECTIVES),
    *((name, "concat") for name in OBJECTIVES if name not in PER_MODALITY),
]


def distance(x, y):
    return 1 - sum(a * b for a, b in zip(x.tolist(), y.tolist(), strict=True))


def output(on_circle, image=(True, True, True), text=(True, True, True)):
    """Pictures at 0, 90 and 180 degrees, each with its text 60 degrees further."""
    nothing = torch.zeros(3, 1)
    present = Present(torch.tensor(image), torch.tensor(text))
    return TowersOutput(
        on_circle(0, 90, 180), on_circle(60, 150, 240), nothing, nothing, None, present=present
    )


def test_the_embeddings_are_those_that_there_are_with_their_classes(on_circle):
    lacking = output(on_circle, image=(True, False, True), text=(True, True, False))
    embedding_ND, label_N = embeddings(lacking, LABELS)
    torch.testing.assert_close(embedding_ND, on_circle(0, 180, 60, 150))
    assert label_N.tolist() == [0, 2, 0, 1]


def test_flags_that_say_all_is_there_change_nothing(on_circle):
    flagged = output(on_circle)
    plain = flagged._replace(present=None)
    for one, other in zip(embeddings(flagged, LABELS), embeddings(plain, LABELS), strict=True):
        assert torch.equal(one, other)
    assert gap_of_pairs(flagged, LABELS) == gap_of_pairs(plain, LABELS)


def test_the_gap_is_of_items_that_have_both(on_circle):
    lacking = output(on_circle, image=(False, True, True), text=(True, True, False))
    lacking.image_BD[0], lacking.text_BD[2] = 99.0, 99.0
    torch.testing.assert_close(gap_of_pairs(lacking, LABELS).item(), 0.5)
    assert of_pairs(lambda image, text, label: label, lacking, LABELS).tolist() == [1]


def test_a_batch_without_pairs_has_no_gap_and_no_gradient(on_circle):
    lacking = output(on_circle, image=(True, False, True), text=(False, True, False))
    image_BD = lacking.image_BD.requires_grad_()
    loss = gap_of_pairs(lacking._replace(image_BD=image_BD), LABELS)
    loss.backward()
    assert loss.item() == 0
    assert image_BD.grad.abs().sum() == 0


@pytest.mark.parametrize(("name", "fusion"), CASES)
def test_what_an_item_lacks_counts_in_no_part(name, fusion, make_objective, make_model, make_pairs):
    """Neither the loss nor a gradient depends on the features that stand for what is not there."""
    objective = make_objective(name, joint=0.5)
    dim = {"dim": objective.fixed_dim} if name == "hier_cos" else {}
    found = []
    for absent in (1e3, -7.0):
        pairs = make_pairs(15, gaps=True)
        image_BI, text_BT = pairs.image_NI.clone(), pairs.text_NT.clone()
        image_BI[~pairs.present.image_N] = absent
        text_BT[~pairs.present.text_N] = absent
        model = make_model(classifier=objective.classifier, fusion=fusion, **dim)
        output = model(image_BI, text_BT, present=pairs.present)
        total, parts = objective(output, pairs.label_N)
        total.backward()
        gradients = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
        assert math.isfinite(total.item())
        found.append(torch.cat([total.detach()[None], *gradients]))
        assert parts
    assert torch.equal(*found)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_no_objective_minds_flags_that_say_all_is_there(
    name, make_objective, make_model, make_pairs
):
    objective, pairs = make_objective(name, joint=0.5), make_pairs(9)
    dim = {"dim": objective.fixed_dim} if name == "hier_cos" else {}
    output = make_model(classifier=objective.classifier, **dim)(pairs.image_NI, pairs.text_NT)
    labels = pairs.label_N
    everything = Present(torch.ones(9, dtype=torch.bool), torch.ones(9, dtype=torch.bool))
    flagged, plain = (
        objective(output._replace(present=present), labels)[0].item()
        for present in (everything, None)
    )
    assert flagged == pytest.approx(plain, rel=1e-6)


def test_parts_of_a_batch_with_gaps_equal_plain_loops(make_objective, make_model, make_pairs):
    objective, pairs = make_objective("huse"), make_pairs(15, gaps=True)
    output = make_model()(pairs.image_NI, pairs.text_NT, present=pairs.present)
    _, parts = objective(output, pairs.label_N)
    has_image, has_text = pairs.present
    both = pairs.present.both_N
    points = [*output.image_BD[has_image], *output.text_BD[has_text]]
    classes = [*pairs.label_N[has_image].tolist(), *pairs.label_N[has_text].tolist()]
    logits = [*output.image_logits_BK[has_image], *output.text_logits_BK[has_text]]
    total = 0.0
    for x, one in zip(points, classes, strict=True):
        for y, other in zip(points, classes, strict=True):
            d, target = distance(x, y), objective.adjacency_KK[one, other].item()
            total += (d - target) ** 2 if target < 0.9 and d < 0.9 else 0.0
    assert len(points) == 24
    assert parts["graph"].item() == pytest.approx(total / 24**2, rel=1e-4)
    log_likelihood = [
        math.log(logit.softmax(0)[label].item())
        for logit, label in zip(logits, classes, strict=True)
    ]
    assert parts["class"].item() == pytest.approx(-mean(log_likelihood), rel=1e-5)
    gap = mean(map(distance, output.image_BD[both], output.text_BD[both]))
    assert parts["gap"].item() == pytest.approx(gap, rel=1e-5)
