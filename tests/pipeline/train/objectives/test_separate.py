import torch

from pipeline.train.objectives.class_part import class_part
from pipeline.train.objectives.separate import SeparateObjective


def test_classification_alone(check_objective):
    check_objective(
        SeparateObjective, lambda output, labels: {"class": (1.0, class_part(output, labels))}
    )


def test_the_modalities_do_not_meet(make_model, make_pairs, make_objective):
    """Other texts leave the image tower's gradient as it is."""
    gradients = []
    for text_seed in (0, 1):
        pairs, others = make_pairs(9), make_pairs(9, seed=text_seed)
        model = make_model(classifier=SeparateObjective.classifier)
        output = model(pairs.image_NI, others.text_NT)
        total, _ = make_objective(SeparateObjective)(output, pairs.label_N)
        total.backward()
        gradients.append(torch.cat([p.grad.flatten() for p in model.image_tower.parameters()]))
    assert torch.equal(*gradients)
