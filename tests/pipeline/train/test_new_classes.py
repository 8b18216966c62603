import numpy as np
import pytest
import torch

from pipeline.core.json_file import read_json
from pipeline.core.sample import draw_sample
from pipeline.features.joined import index_features
from pipeline.features.pairs import read_pairs
from pipeline.features.text_rows import TextRows
from pipeline.model.embed import embed
from pipeline.model.model_file import load_model
from pipeline.model.new_class import EXAMPLES
from pipeline.model.new_class_file import read_new_class_rule
from pipeline.train import new_classes
from pipeline.train.new_classes import fit_new_classes, fit_odds
from stages.paths import (
    CLASS_NAMES,
    CLASSES,
    GROUPS,
    IMAGE_FEATURES,
    ITEMS,
    MODEL,
    SPLITS,
    TEXT_FEATURES,
)


@pytest.fixture
def trained(finished_project):
    root = finished_project.root
    tables = {
        "items": ITEMS,
        "splits": SPLITS,
        "groups": GROUPS,
        "classes": CLASSES,
        "image_features": IMAGE_FEATURES,
        "text_features": TEXT_FEATURES,
    }
    index = index_features(**{name: root / path for name, path in tables.items()})
    stored = load_model(root / MODEL)
    count = len(read_json(root / CLASSES)["classes"])
    name_KT = TextRows(root / CLASS_NAMES).read(np.arange(count))
    return stored, index, read_pairs(index.only("val")), name_KT


def test_stage_train_keeps_what_is_fitted(trained, finished_project):
    stored = trained[0]
    found = fit_new_classes(*trained, seed=0)
    kept = read_new_class_rule(finished_project.root / MODEL, stored.digest())
    for one, other in zip(found, kept, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_classes_are_at_the_means_of_their_training_items(trained):
    stored, index, *_ = trained
    found = fit_new_classes(*trained, seed=0)
    train = read_pairs(index.only("train"))
    points = embed(stored.model, train.image_NI, train.text_NT)
    for mean_KD, modality in ((found.image_KD, "image"), (found.text_KD, "text")):
        for label, mean_D in enumerate(mean_KD):
            own_ND = points[modality][train.label_N == label]
            wanted_D = torch.nn.functional.normalize(own_ND.sum(dim=0), dim=0)
            np.testing.assert_allclose(mean_D, wanted_D, atol=1e-5)


def test_names_are_kept_where_the_text_tower_puts_them(trained):
    stored, *_, name_KT = trained
    with torch.inference_mode():
        wanted_KD = stored.model.text_tower(name_KT).numpy()
    np.testing.assert_allclose(fit_new_classes(*trained, seed=0).name_KD, wanted_KD, atol=1e-6)


def test_where_no_class_has_so_many_items_what_fewer_tell_is_taken(trained):
    _, index, *_ = trained
    largest = np.bincount(index.only("train").label_N).max()
    weight_3SE = fit_new_classes(*trained, seed=0).weight_3SE
    assert largest < EXAMPLES[-1]
    np.testing.assert_array_equal(weight_3SE[:, -1], weight_3SE[:, -2])
    assert np.isfinite(weight_3SE).all()
    # A picture says nothing of a text, and the other way round.
    assert (weight_3SE[0, :, 1] == 0).all()
    assert (weight_3SE[1, :, 0] == 0).all()


@pytest.mark.parametrize(("limit", "value"), [("OF_CLASS", 1), ("MAX_TRAIN", 5)])
def test_of_much_a_part_is_read(trained, monkeypatch, limit, value):
    monkeypatch.setattr(new_classes, limit, value)
    monkeypatch.setattr(new_classes, "MAX_CLASSES", 2)
    asked = []
    monkeypatch.setattr(
        new_classes, "draw_sample", lambda *drawn: asked.append(drawn) or draw_sample(*drawn)
    )
    stored, index, *_ = trained
    found = fit_new_classes(*trained, seed=0)
    assert [size for _, size, _ in asked] == [new_classes.MAX_ITEMS, 2]
    train = read_pairs(index.only("train"))
    point_ND = embed(stored.model, train.image_NI, train.text_NT)["image"].numpy()
    present = np.unique(train.label_N)
    # The mean of one item is that item.
    assert np.allclose((found.image_KD[present] @ point_ND.T).max(axis=1), 1, atol=1e-5)


def test_odds_are_fitted_by_likelihood():
    generator = np.random.default_rng(0)
    wanted_E = np.array([4.0, 2.0, -1.0, -0.5])
    evidence_RE = generator.normal(size=(20_000, 4))
    evidence_RE[:, 3] = 1
    is_new_R = generator.random(20_000) < 1 / (1 + np.exp(-(evidence_RE @ wanted_E)))
    np.testing.assert_allclose(fit_odds(evidence_RE, is_new_R, np.ones(20_000)), wanted_E, atol=0.2)
    # Rows that count twice are as two rows.
    half = slice(0, 10_000)
    twice = fit_odds(
        np.concatenate([evidence_RE, evidence_RE[half]]),
        np.concatenate([is_new_R, is_new_R[half]]),
        np.ones(30_000),
    )
    share_R = np.where(np.arange(20_000) < 10_000, 2.0, 1.0)
    np.testing.assert_allclose(fit_odds(evidence_RE, is_new_R, share_R), twice, atol=1e-3)


def test_being_nearer_never_makes_a_class_less_likely():
    near_R = np.linspace(-1, 1, 100)
    evidence_RE = np.stack([near_R, near_R, np.zeros(100), np.ones(100)], axis=1)
    image, text, _, _ = fit_odds(evidence_RE, near_R < 0, np.ones(100))
    assert image == text == 0
