import numpy as np
import pytest
import torch

from pipeline.evaluate.mistakes import mistakes_tree
from pipeline.evaluate.predictions import Predicted

# x and y are below a, z and w below b: heights 0 (itself), 1 (its sister), 2 (the others).
PARTS = [["a", "x"], ["a", "y"], ["b", "z"], ["b", "w"]]
LABEL = np.array([0, 1, 2, 3])


def said(*classes):
    """Predictions of one modality; the other classes follow in their order."""
    predicted_N = torch.tensor(classes)
    right_N = predicted_N == torch.from_numpy(LABEL)
    best_NR = torch.tensor([sorted(range(4), key=lambda k: k != one) for one in classes])
    return Predicted(
        torch.zeros(4, 2),
        predicted_N,
        torch.ones(4),
        right_N,
        best_NR,
        right_N,
        torch.tensor([True, True, True, False]),
    )


def tree(one, baseline=None, group_N=LABEL):
    return mistakes_tree({"fused": one}, LABEL, group_N, PARTS, baseline or {})


def test_figures_of_the_model_by_hand():
    # Right, a sister, right, and x for w: heights 0 1 0 2.
    found = tree(said(0, 0, 2, 0))
    assert found["tree_height"] == 2
    figures = found["fused"]
    assert figures["wrong_items"] == 2
    assert figures["severity"] == 1.5
    assert figures["ahd_at_1"] == 0.75
    # All four classes: 0 + 1 + 2 + 2 each.
    assert figures["ahd_at_5"] == figures["ahd_at_20"] == 1.25
    # Shared nodes 2 1 2 0 of two each.
    for name in ("precision", "recall", "f1"):
        assert figures[f"hierarchical_{name}"] == 5 / 8
    # Orders from the true class: 0 1 2 2, 1 0 2 2, 0 2 2 1 and 2 2 1 0; the second costs half of
    # the most, the third (1/2 + 1/8) / 3 of it, the last all.
    assert figures["hops_at_5"] == pytest.approx((1 + 1 / 2 + (1 - 0.625 / 3) + 0) / 4)
    assert figures["full_path_accuracy"] == 0.5
    assert figures["inconsistent_paths"] == 0.25
    assert "baseline" not in figures
    for name in ("severity", "ahd_at_1"):
        low, high = figures["intervals"][name]
        assert low <= figures[name] <= high
    # A mistake is at least 1 off and at most 2.
    assert figures["intervals"]["severity"] == [1, 2]


def test_the_baseline_stands_beside_the_model_on_the_items_it_was_asked():
    # Asked of three: right, z for y, w for z. Heights 0 2 1.
    figures = tree(said(0, 0, 2, 0), {"fused": np.array([0, 2, 3, -1])})["fused"]
    assert figures["baseline"]["wrong_items"] == 2
    assert figures["baseline"]["severity"] == 1.5
    assert figures["baseline"]["ahd_at_1"] == 1
    assert figures["baseline"]["hierarchical_f1"] == 3 / 6
    assert figures["difference"]["severity"] == -0.5
    # Of these three the model's are 0 1 0: severity 1, and 1/3 of all.
    assert figures["difference"]["ahd_at_1"] == pytest.approx(1 / 3 - 1)
    low, high = figures["difference"]["intervals"]["severity"]
    assert low == -1
    assert high < 0  # where the model errs, at 1, the baseline errs at 2


def test_the_same_predictions_do_not_differ_in_any_draw():
    figures = tree(said(0, 0, 2, 0), {"fused": np.array([0, 0, 2, 0])})["fused"]
    assert figures["difference"] == {
        "severity": 0,
        "ahd_at_1": 0,
        "intervals": {"severity": [0, 0], "ahd_at_1": [0, 0]},
    }
    assert figures["baseline"]["intervals"] == figures["intervals"]


def test_no_mistakes_have_no_severity():
    figures = tree(said(0, 1, 2, 3), {"fused": np.array([0, 0, 2, 3])})["fused"]
    assert figures["wrong_items"] == 0
    assert "severity" not in figures
    assert figures["ahd_at_1"] == 0
    assert figures["hierarchical_f1"] == 1
    assert figures["intervals"] == {"ahd_at_1": [0, 0]}
    assert list(figures["difference"]) == ["ahd_at_1", "intervals"]
    assert list(figures["difference"]["intervals"]) == ["ahd_at_1"]


def test_a_baseline_that_was_asked_of_nothing_is_none():
    assert "baseline" not in tree(said(0, 1, 2, 3), {"fused": np.full(4, -1)})["fused"]


def test_without_items_there_is_nothing():
    none = np.zeros(0, dtype=np.int64)
    assert mistakes_tree({}, none, none, PARTS, {}) == {}
