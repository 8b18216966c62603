import torch

from pipeline.train.losses.triplet import triplet_loss
from pipeline.train.objectives.class_part import class_part
from pipeline.train.objectives.triplet import TripletObjective


def test_triplets_and_a_probe(check_objective):
    def parts(output, labels):
        loss = triplet_loss(output.image_BD, output.text_BD, labels, margin=0.6)
        return {"class": (1.0, class_part(output, labels)), "triplet": (1.0, loss)}

    check_objective(TripletObjective, parts, triplet_margin=0.6)


def test_the_probe_does_not_move_the_towers(
    make_model, make_pairs, make_objective, tower_gradients
):
    pairs = make_pairs(9)
    model = make_model(classifier=TripletObjective.classifier)
    output = model(pairs.image_NI, pairs.text_NT)
    total, _ = make_objective(TripletObjective, triplet_margin=0.6)(output, pairs.label_N)
    with_probe = tower_gradients(model, total)
    output = model(pairs.image_NI, pairs.text_NT)
    alone = triplet_loss(output.image_BD, output.text_BD, pairs.label_N, margin=0.6)
    assert torch.equal(with_probe, tower_gradients(model, alone))
    assert with_probe.abs().sum() > 0
