from pipeline.train.losses.projection import projection_loss
from pipeline.train.objectives.class_part import class_part
from pipeline.train.objectives.hie import HieObjective


def test_projection_and_a_classifier_per_modality(check_objective, psi):
    def parts(output, labels):
        loss = projection_loss(output.image_BD, output.text_BD, psi, labels)
        return {"class": (1.5, class_part(output, labels)), "projection": (2.0, loss)}

    model, _ = check_objective(HieObjective, parts)
    assert len(model.classifiers) == 2
    assert HieObjective.projects
