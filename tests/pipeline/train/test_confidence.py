import numpy as np
import pytest
import torch

from pipeline.core.sample import draw_sample
from pipeline.features.classes import make_classes
from pipeline.model.description import MODALITIES
from pipeline.model.model_file import StoredModel
from pipeline.train.calibrate import calibrate
from pipeline.train.confidence import measure_confidence

PATHS = ["bags", "shoes<boots", "shoes<sandals"]


@pytest.fixture
def make_stored(make_model):
    def build(val, label="path"):
        model = make_model()
        return StoredModel(
            model,
            calibrate(model, val, seed=0),
            dict(make_classes(PATHS, separator="<", label=label)),
            {},
        )

    return build


def test_every_level_and_modality_is_asked(make_stored, make_pairs):
    val = make_pairs(60)
    stored = make_stored(val)
    found = measure_confidence(stored, val, np.arange(60), seed=0)
    with torch.no_grad():
        output = stored.model(val.image_NI, val.text_NT)
    label_N = val.label_N.numpy()
    for modality, probability_NK in stored.fusion.probabilities(output).items():
        bags, boots, sandals = probability_NK.numpy().T
        one = found.said[modality]
        top = np.stack([bags, boots + sandals], axis=1)
        np.testing.assert_allclose(one.confidence_ML[:, 0], top.max(axis=1), atol=1e-5)
        np.testing.assert_allclose(one.confidence_ML[:, 1], np.maximum(boots, sandals), atol=1e-5)
        np.testing.assert_array_equal(
            one.right_ML[:, 0], (top.argmax(axis=1) == 1) == (label_N > 0)
        )
        # No bag has a second level.
        deep_N = np.where(boots >= sandals, 1, 2)
        np.testing.assert_array_equal(one.right_ML[:, 1], deep_N == label_N)
    assert set(found.said) == set(MODALITIES)


def test_of_too_many_items_a_fair_sample_is_asked(make_stored, make_pairs, monkeypatch):
    val = make_pairs(60)
    stored = make_stored(val)
    everything = measure_confidence(stored, val, np.arange(60) // 2, seed=3)
    monkeypatch.setattr("pipeline.train.confidence.MAX_ITEMS", 20)
    some = measure_confidence(stored, val, np.arange(60) // 2, seed=3)
    chosen = draw_sample(60, 20, 3)
    np.testing.assert_array_equal(some.group_M, chosen // 2)
    for modality, one in some.said.items():
        np.testing.assert_allclose(
            one.confidence_ML, everything.said[modality].confidence_ML[chosen], atol=1e-6
        )
        np.testing.assert_array_equal(one.right_ML, everything.said[modality].right_ML[chosen])


def test_what_items_lack_is_not_asked(make_stored, make_pairs):
    val = make_pairs(60, gaps=True)
    stored = make_stored(val)
    found = measure_confidence(stored, val, np.arange(60), seed=0)
    has_image, has_text = (has_N.numpy() for has_N in val.present)
    for modality, has_N in (
        ("image", has_image),
        ("text", has_text),
        ("fused", has_image & has_text),
    ):
        confidence_ML, right_ML, group_M = found.asked(modality)
        assert group_M.tolist() == np.flatnonzero(has_N).tolist()
        assert len(confidence_ML) == len(right_ML) == len(group_M)
        assert np.isfinite(confidence_ML).all()
        assert confidence_ML.min() > 0
