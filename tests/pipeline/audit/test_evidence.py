from dataclasses import replace

import numpy as np
import pytest

from pipeline.audit import item_features as features_module
from pipeline.audit.evidence import nearest_evidence
from pipeline.audit.item_features import ItemFeatures

LABELS = np.arange(120) % 12


def plain(features, label_N, suspect_M, suggested_M, weight_M2, count):
    """Suspect by suspect, item by item."""
    read = features.read(np.arange(len(label_N)))
    unit = {}
    for name in ("image", "text"):
        standard_NF = (read[name] - read[name].mean(axis=0)) / read[name].std(axis=0)
        unit[name] = standard_NF / np.linalg.norm(standard_NF, axis=1, keepdims=True)
    rows = []
    for m, suspect in enumerate(suspect_M):
        others = [
            n for n in range(len(label_N)) if label_N[n] == suggested_M[m] and n not in suspect_M
        ]
        near = {
            n: weight_M2[m, 0] * unit["image"][suspect] @ unit["image"][n]
            + weight_M2[m, 1] * unit["text"][suspect] @ unit["text"][n]
            for n in others
        }
        rows.append(sorted(near, key=near.get, reverse=True)[:count])
    return rows


@pytest.mark.parametrize("items_per_read", [13, 1000])
def test_the_nearest_of_the_suggested_class_are_named(catalogue, monkeypatch, items_per_read):
    monkeypatch.setattr(features_module, "ITEMS_PER_READ", items_per_read)
    features = ItemFeatures(catalogue(LABELS)[0])
    suspect_M = np.array([5, 17, 40, 41])
    suggested_M = np.array([3, 3, 0, 5])  # items 17 and 41 are of class 5
    weight_M2 = np.array([[0.5, 0.5], [1, 0], [0, 1], [1, 0]])
    found = nearest_evidence(features, LABELS, suspect_M, suggested_M, weight_M2, 4)
    assert found.tolist() == plain(features, LABELS, suspect_M, suggested_M, weight_M2, 4)


def test_an_item_that_has_nothing_of_a_suspects_is_no_evidence(catalogue):
    index = catalogue(LABELS)[0]
    views, texts = np.ones(len(LABELS), dtype=np.int64), index.text_row_N.copy()
    # Of class 3, which is suggested, half have a picture alone and all others a text alone.
    pictures, written = np.flatnonzero(LABELS == 3)[::2], np.flatnonzero(LABELS == 3)[1::2]
    views[[*written, 0]], texts[[*pictures, 1]] = 0, -1
    gaps = replace(
        index, num_views_N=views, view_row_R=index.view_row_R[views > 0], text_row_N=texts
    )
    suspect_M, weight_M2 = np.array([0, 1, 2]), np.array([[0, 1.0], [1.0, 0], [0.5, 0.5]])
    found = nearest_evidence(ItemFeatures(gaps), LABELS, suspect_M, np.full(3, 3), weight_M2, 10)
    assert set(found[0]) == {*written, -1}
    assert set(found[1]) == {*pictures, -1}
    assert set(found[2]) == {*written, *pictures}


def test_a_class_with_fewer_items_leaves_places_empty(catalogue):
    features = ItemFeatures(catalogue(np.r_[LABELS[:24], 1])[0])
    found = nearest_evidence(
        features, np.r_[LABELS[:24], 1], np.array([0]), np.array([1]), np.array([[0.5, 0.5]]), 5
    )
    assert set(found[0, :3]) == {1, 13, 24}
    assert found[0, 3:].tolist() == [-1, -1]


@pytest.mark.parametrize(("suspects", "count"), [(0, 3), (2, 0)])
def test_nothing_asked_for_is_nothing_read(suspects, count):
    nothing = np.zeros(suspects, dtype=np.int64)
    found = nearest_evidence(None, LABELS, nothing, nothing, np.ones((suspects, 2)), count)
    assert found.shape == (suspects, count)
