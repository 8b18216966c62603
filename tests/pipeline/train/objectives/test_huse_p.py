from pipeline.train.losses.gap import gap_loss
from pipeline.train.losses.projection import projection_loss
from pipeline.train.objectives.class_part import class_part
from pipeline.train.objectives.huse_p import HuseProjectionObjective


def test_projection_takes_the_place_of_the_graph(check_objective, psi):
    def parts(output, labels):
        image_BD, text_BD = output.image_BD, output.text_BD
        return {
            "class": (1.5, class_part(output, labels)),
            "projection": (2.0, projection_loss(image_BD, text_BD, psi, labels)),
            "gap": (0.5, gap_loss(image_BD, text_BD)),
        }

    model, _ = check_objective(HuseProjectionObjective, parts)
    assert len(model.classifiers) == 1
    assert HuseProjectionObjective.projects
