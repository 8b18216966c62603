import numpy as np
import pandas as pd
import pytest
import torch

from pipeline.evaluate.directions import measure_directions
from pipeline.evaluate.plots import (
    MOST_ITEMS,
    class_accuracy,
    leaf_confusion,
    recall_curves,
    top_level_confusion,
    write_plot_data,
)

PARTS = [["bags", "big"], ["bags", "small"], ["hats"]]
NAMES = ["big", "small", "hats"]
LABEL = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 1, 2, 1, 2])


def test_curves_of_directions_that_were_not_measured_are_empty(make_embedded):
    label_N = torch.from_numpy(LABEL)
    directions = measure_directions(
        {"text": make_embedded(label_N)}, label_N, PARTS, k=[1], hp_k=[2]
    )
    frame = recall_curves(directions)
    assert frame["k"].tolist() == list(range(1, 51))
    assert frame["text_to_text"].is_monotonic_increasing
    assert frame["image_to_text"].isna().all()


def test_top_level_confusion():
    frame = top_level_confusion(LABEL, PREDICTED, PARTS)
    assert frame["actual"].tolist() == ["bags"] * 5 + ["hats"]
    assert frame["predicted"].tolist() == ["bags", "bags", "bags", "hats", "bags", "hats"]


def test_leaf_confusion_keeps_the_classes_confused_most():
    # Errors: big -> small and small -> hats, so small takes part in two.
    frame = leaf_confusion(LABEL, PREDICTED, NAMES, count=2)
    assert set(frame["actual"]) | set(frame["predicted"]) == {"small", "big"}
    assert len(leaf_confusion(LABEL, LABEL, NAMES, count=2)) == 5


def test_of_many_items_a_confusion_plot_counts_a_random_sample():
    label_N = np.repeat([0, 2], MOST_ITEMS)  # sorted by class, as catalogues are
    for frame in (
        top_level_confusion(label_N, label_N, PARTS),
        leaf_confusion(label_N, label_N, NAMES, count=3),
    ):
        assert len(frame) == MOST_ITEMS
        assert frame["actual"].value_counts(normalize=True).min() == pytest.approx(0.5, abs=0.02)


def test_class_accuracy_from_best_to_worst():
    frame = class_accuracy(LABEL, PREDICTED, NAMES)
    assert frame["class"].tolist() == ["hats", "big", "small"]
    np.testing.assert_allclose(frame["accuracy"], [1, 2 / 3, 1 / 2])
    assert frame["items"].tolist() == [1, 3, 2]


def test_without_test_items_the_files_have_their_headers(tmp_path):
    classes = [{"name": n, "parts": p, "count": 1} for n, p in zip(NAMES, PARTS, strict=True)]
    nothing = np.zeros(0, dtype=np.int64)
    write_plot_data(tmp_path, {}, nothing, nothing, classes=classes, confusions=3)
    for name, columns in (
        ("confusion_top", ["actual", "predicted"]),
        ("confusion_leaf", ["actual", "predicted"]),
        ("class_accuracy", ["class", "accuracy", "items"]),
    ):
        frame = pd.read_csv(tmp_path / f"{name}.csv")
        assert frame.columns.tolist() == columns
        assert frame.empty
