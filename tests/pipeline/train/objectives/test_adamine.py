from pipeline.train.losses.adamine import adamine_loss
from pipeline.train.objectives.adamine import AdaMineObjective
from pipeline.train.objectives.class_part import class_part


def test_both_levels_of_triplets_and_a_probe(check_objective):
    def parts(output, labels):
        loss = adamine_loss(output.image_BD, output.text_BD, labels, margin=0.5, class_weight=0.25)
        return {"class": (1.0, class_part(output, labels)), "triplets": (1.0, loss)}

    check_objective(AdaMineObjective, parts, adamine_margin=0.5, adamine_class_weight=0.25)
