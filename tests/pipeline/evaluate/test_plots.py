import numpy as np
import pandas as pd
import pytest
import torch

from pipeline.evaluate.decisions import Answers, Decisions
from pipeline.evaluate.directions import measure_directions
from pipeline.evaluate.plots import (
    MOST_ITEMS,
    class_accuracy,
    leaf_confusion,
    recall_curves,
    top_level_confusion,
    write_decision_plots,
    write_plot_data,
)
from pipeline.features.class_tree import ClassTree
from pipeline.features.classes import make_classes

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


def test_decisions_have_a_chart_per_level_and_none_of_a_deeper_tree(tmp_path):
    tree = ClassTree(make_classes(["bags<big", "bags<small"], separator="<", label="path"))
    confidence, right = np.array([[0.9, 0.6], [0.8, 0.7]]), np.array([[1, 1], [1, 0]], bool)
    answers = Answers(confidence, right, np.zeros((2, 3)), np.ones(2, bool))
    old = tmp_path / "reliability" / "level_3.csv"
    old.parent.mkdir()
    old.write_text("of a run on a deeper tree")
    write_decision_plots(tmp_path, Decisions(tree, np.zeros(2), {"fused": answers}, {}, 0.9))
    names = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.csv"))
    assert names == [
        f"{name}/level_{n}.csv" for name in ("precision_at_coverage", "reliability") for n in (1, 2)
    ]
    frame = pd.read_csv(tmp_path / "precision_at_coverage" / "level_2.csv")
    assert frame["precision"].iloc[[49, 99]].tolist() == [0, 0.5]
    frame = pd.read_csv(tmp_path / "reliability" / "level_1.csv")
    assert list(frame.columns) == ["confidence", "right", "items"]
    write_decision_plots(tmp_path, None)
    assert list(tmp_path.rglob("*.csv")) == []
