from pipeline.train.losses.projection import projection_loss
from pipeline.train.objectives.class_part import class_part
from pipeline.train.objectives.devise import DeviseObjective


def test_projection_and_a_probe(check_objective, psi):
    def parts(output, labels):
        loss = projection_loss(output.image_BD, output.text_BD, psi, labels)
        return {"class": (1.0, class_part(output, labels)), "projection": (1.0, loss)}

    check_objective(DeviseObjective, parts)
    assert DeviseObjective.projects
