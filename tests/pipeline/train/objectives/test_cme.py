from pipeline.train.losses.classification import classification_loss
from pipeline.train.losses.cme import cme_loss
from pipeline.train.objectives.cme import CmeObjective


def test_pairs_and_a_classifier_per_modality(check_objective):
    def parts(output, labels):
        of_class = classification_loss(output.image_logits_BK, output.text_logits_BK, labels)
        pairs = cme_loss(output.image_BD, output.text_BD, margin=0.7)
        return {"class": (1.5, of_class), "pairs": (2.0, pairs)}

    model, _ = check_objective(CmeObjective, parts, cme_margin=0.7)
    assert len(model.classifiers) == 2
