from dataclasses import replace

import numpy as np
import pytest
import torch

from pipeline.baseline.baseline import Baseline
from pipeline.decide.thresholds import Threshold
from pipeline.evaluate.decisions import Answers, Decisions
from pipeline.evaluate.directions import measure_directions
from pipeline.evaluate.figures import Measured, details_tree, outcomes
from pipeline.evaluate.notes import baseline_tree, notes, verdict, without
from pipeline.features.class_tree import ClassTree
from pipeline.features.classes import make_classes

PARTS = [["a", "x"], ["a", "y"], ["b", "z"], ["b", "w"]]
FITTED = Baseline(None, 20, 30, {})


@pytest.fixture
def build(make_embedded, labels):
    """Measure forty items; what they share and what the baseline got right as wanted."""

    def make(*, groups=None, right=None, parts=PARTS, hp_k=(2,)):
        label_N = labels(40, 4)
        embedded = {
            name: make_embedded(label_N, seed=seed)
            for seed, name in enumerate(("image", "text", "fused"))
        }
        return Measured(
            embedded,
            label_N,
            torch.arange(40),
            measure_directions(embedded, label_N, parts, k=[1], hp_k=hp_k, groups=groups),
            item_ids=np.array([f"item-{n}" for n in range(40)], dtype=object),
            group_N=np.arange(40),
            k=[1],
            hp_k=hp_k,
            class_parts=parts,
            baseline_right={} if right is None else {"fused": np.array(right, dtype=np.float64)},
        )

    return make


def said(measured, **beside):
    found = outcomes(measured)
    details = details_tree(measured, found, np.arange(4)) | beside
    details["baseline"] = baseline_tree(found, FITTED)
    return notes(measured, details)


def test_nothing_is_said_where_figures_mean_what_they_seem_to(build):
    assert said(build(right=np.zeros(40))) == []


def test_a_model_below_its_baseline_is_said_first_with_what_to_try(build):
    measured = build(right=np.ones(40))
    tree = baseline_tree(outcomes(measured), FITTED)
    assert (tree["fitted_items"], tree["train_items"]) == (20, 30)
    row = tree["fused"]
    accuracy = float((measured.embedded["fused"].predicted_N == measured.label_N).double().mean())
    assert row["model"] == pytest.approx(accuracy)
    assert row["baseline"] == 1
    assert row["difference"] == pytest.approx(accuracy - 1)
    low, high = row["interval"]
    assert low < row["difference"] < high < 0
    (line,) = said(measured)
    assert line.startswith("the model is below its baseline: accuracy 0.")
    assert verdict(row) in line
    assert "model.input_dropout" in line


def test_a_difference_within_noise_is_not_sold_as_a_gain(build):
    measured = build()
    right_N = (measured.embedded["fused"].predicted_N == measured.label_N).double().numpy()
    right_N[np.flatnonzero(right_N)[0]] = 0
    (line,) = said(build(right=right_N))
    assert line.startswith("the model is not certainly above its baseline")


def test_figures_without_test_items_that_leak_stand_beside_those_with_them(build):
    measured = build()
    wrong_N = (measured.embedded["fused"].predicted_N != measured.label_N).numpy()
    tree = without(outcomes(measured), wrong_N)
    assert tree["items"] == wrong_N.sum()
    assert tree["without"]["accuracy"] == 1
    assert tree["with"]["accuracy"] < 1
    assert without(outcomes(measured), np.zeros(40, dtype=bool)) == {}
    assert "without" not in without(outcomes(measured), np.ones(40, dtype=bool))
    (line,) = said(measured, divided=tree)
    assert line.startswith(f"{wrong_N.sum()} of 40 test items share a product")
    assert "accuracy is 1.000 instead of 0." in line
    # Two of forty with a nearly identical text are not worth a line, three are.
    for count, lines in ((2, 0), (3, 1)):
        near = without(outcomes(measured), np.arange(40) < count)
        assert len(said(measured, near_text_in_train=near)) == lines


def test_directions_that_answer_little_or_nothing_are_named(build):
    measured = build()
    few_N = torch.where(measured.label_N == 3, 100, torch.arange(40))
    groups = {"image": few_N, "text": measured.label_N, "fused": torch.arange(40)}
    lines = said(build(groups=groups))
    share = float((measured.label_N == 3).double().mean())
    assert lines[0].startswith(f"image to image: {share:.0%} of the queries have no item")
    assert lines[1].startswith("text to text: not measured")
    assert lines[1].endswith("means of image to image, image to text, text to image")


def test_a_set_that_is_the_whole_tree_is_said(build):
    (line,) = said(build(hp_k=(2, 4)))
    assert line.startswith("HP@4: any result is right for 100% of the queries at HP@4")


@pytest.mark.parametrize(("wrong", "said_of_it"), [(4, False), (12, True)])
def test_test_items_may_belie_what_validation_items_promised(build, wrong, said_of_it):
    """Of forty filed items a precision of 0.9 allows four to be wrong, not twelve."""
    tree = ClassTree(make_classes(["<".join(p) for p in PARTS], separator="<", label="path"))
    right = (np.arange(40) >= wrong)[:, None].repeat(2, axis=1)
    answers = Answers(np.ones((40, 2)), right, np.zeros((40, 3), np.int64), np.ones(40, bool))
    thresholds = [Threshold(1, None, 0, 0), Threshold(2, 0.5, 100, 99)]
    measured = build(right=np.zeros(40))
    decisions = Decisions(
        tree, measured.label_N.numpy(), {"fused": answers}, {"fused": thresholds}, 0.9
    )
    lines = [
        line
        for line in notes(replace(measured, decisions=decisions), {})
        if line.startswith("filed at level 2 by fused:")
    ]
    assert bool(lines) == said_of_it
