import numpy as np
import pytest

from pipeline.evaluate.predictions import predict_pairs
from pipeline.features.classes import make_classes
from pipeline.model.fusion import Fusion
from pipeline.model.model_file import StoredModel
from pipeline.use.embeddings import class_probabilities, embed_features

TEMPERATURES = {"image_temperature": 1.5, "text_temperature": 0.7, "fused_temperature": 2.0}
BOTH = [True] * 9


@pytest.fixture(params=["late", "product", "concat", "labels"])
def stored(request, make_model):
    several = request.param == "labels"
    rule = "late" if several else request.param
    # As labels: a and b make up three paths.
    classes = make_classes(
        ["a<b", "a", "b", "c"] if several else ["a", "b", "c"],
        separator="<",
        label="parts" if several else "path",
    )
    fusion = Fusion(0.3, **TEMPERATURES, rule=rule, multi_label=several)
    return StoredModel(make_model(fusion=rule), fusion, classes, {})


def test_items_with_both_get_the_embeddings_of_the_evaluation(stored, make_pairs):
    pairs = make_pairs(9)
    found = embed_features(stored, pairs.image_NI.numpy(), BOTH, pairs.text_NT, BOTH)
    wanted = predict_pairs(stored, pairs)
    for modality, matrix in found.modalities.items():
        assert np.abs(matrix - wanted[modality].embedding_ND.numpy()).max() < 1e-6
    probability_NK = class_probabilities(stored, found)
    assert np.array_equal(probability_NK.argmax(1), wanted["fused"].predicted_N)
    assert np.allclose(probability_NK.max(1), wanted["fused"].score_N)


def test_an_item_with_one_modality_is_classified_by_it(stored, make_pairs):
    pairs = make_pairs(2)
    found = embed_features(
        stored, pairs.image_NI[:1].numpy(), [True, False], pairs.text_NT[1:], [False, True]
    )
    wanted = predict_pairs(stored, pairs)
    probability_NK = class_probabilities(stored, found)
    for row, modality in enumerate(("image", "text")):
        assert probability_NK[row].argmax() == wanted[modality].predicted_N[row]
        assert probability_NK[row].max() == pytest.approx(wanted[modality].score_N[row].item())
