import numpy as np
import pytest
import torch

from pipeline.decide.settings import ClassifySettings
from pipeline.decide.thresholds import Threshold
from pipeline.evaluate.decisions import (
    CURVE,
    RULES,
    Answers,
    Decisions,
    curves,
    decisions_tree,
    draw_decisions,
    filed_and_right,
    filing_outcomes,
    measure_decisions,
    reliabilities,
)
from pipeline.features.class_tree import ClassTree
from pipeline.features.classes import make_classes
from pipeline.train.confidence import measure_confidence

PATHS = ["bags<big", "bags<small", "hats"]
TREE = ClassTree(make_classes(PATHS, separator="<", label="path"))
BIG, SMALL, BAGS, HATS = (
    TREE.path_J.index(path) for path in ("bags<big", "bags<small", "bags", "hats")
)


@pytest.fixture
def found():
    """Five items: a big bag, a small one, a big one taken for small, two hats."""
    answers = Answers(
        confidence_ML=np.array([[0.9, 0.9], [0.9, 0.6], [0.9, 0.8], [0.8, 0.1], [0.3, 0.3]]),
        right_ML=np.array([[1, 1], [1, 1], [1, 0], [1, 0], [0, 0]], dtype=bool),
        # The rules answer with classes; the last one once with a node above.
        node_MR=np.array(
            [[BIG] * 3, [SMALL] * 3, [SMALL, SMALL, BAGS], [HATS] * 3, [BIG, BIG, BAGS]]
        ),
        asked_M=np.ones(5, dtype=bool),
    )
    thresholds = [Threshold(1, 0.8, 10, 9), Threshold(2, 0.75, 20, 19)]
    return Decisions(
        TREE, np.array([0, 1, 0, 2, 2]), {"fused": answers}, {"fused": thresholds}, 0.9
    )


def test_items_are_filed_at_the_deepest_level_that_is_certain(found):
    level_M, right_M = filed_and_right(found, "fused")
    assert level_M.tolist() == [2, 1, 2, 1, 0]
    assert right_M.tolist() == [True, True, False, True, False]
    values = filing_outcomes(found)
    assert values["filing.fused.share"].tolist() == [1, 1, 1, 1, 0]
    assert values["filing.fused.right"].tolist() == [1, 1, 0, 1, 0]


def test_figures_by_hand(found):
    tree = decisions_tree(found)
    filing = tree["filing"]["fused"]
    assert filing["level_2"] == {
        "threshold": 0.75,
        "validation": 0.95,
        "share": 0.4,
        "items": 2,
        "precision": 0.5,
    }
    assert filing["level_1"]["precision"] == 1
    assert filing["all"] == {"share": 0.8, "items": 4, "precision": 0.75}
    # Level 2, by confidence: right, wrong, right, wrong, wrong.
    precision = tree["precision_at_coverage"]["fused"]["level_2"]
    assert precision["1.0"] == pytest.approx(2 / 5)
    assert precision["0.8"] == pytest.approx(2 / 4)
    rules = tree["rules"]["fused"]
    # Small for big is two edges off, a big bag for a hat three.
    assert rules["probable"]["accuracy"] == pytest.approx(3 / 5)
    assert rules["probable"]["tree_distance"] == pytest.approx((2 + 3) / 5)
    # Common levels 2, 2, 1, 1, 0 of answers 2, 2, 2, 1, 2 and classes 2, 2, 2, 1, 1 deep.
    assert rules["probable"]["hierarchical_precision"] == pytest.approx(6 / 9)
    assert rules["probable"]["hierarchical_recall"] == pytest.approx(6 / 8)
    # Bags for a big bag is one edge off, and for a hat two.
    assert rules["hf_beta"]["tree_distance"] == pytest.approx((1 + 2) / 5)
    assert rules["hf_beta"]["hierarchical_precision"] == pytest.approx(6 / 7)


def test_nothing_filed_has_no_precision(found):
    nothing = [Threshold(level, None, 0, 0) for level in (1, 2)]
    found = found._replace(thresholds={"fused": nothing})
    assert not any(value_M.any() for value_M in filing_outcomes(found).values())
    row = decisions_tree(found)["filing"]["fused"]["level_1"]
    assert (row["threshold"], row["validation"], row["precision"]) == (None, None, None)
    # A model that kept nothing of its validation items has no such figures.
    found = found._replace(thresholds={})
    assert filing_outcomes(found) == {}
    assert "filing" not in decisions_tree(found)
    assert "rules" in decisions_tree(found)


def test_charts_have_a_line_per_level(found):
    drawn = draw_decisions(found)
    assert [line.name for line in drawn.coverage.lines] == ["level 1", "level 2"]
    assert [line.name for line in drawn.reliability.lines] == ["level 1", "level 2"]
    curve = curves(found, "fused")[2]
    assert curve.shape == (CURVE, 2)
    assert curve[-1].tolist() == [1.0, pytest.approx(2 / 5)]
    assert sum(one.items for one in reliabilities(found, "fused")[1]) == 5


class Items:
    """Test items in blocks of seven."""

    modalities = ("image", "text", "fused")

    def __init__(self, pairs):
        self.pairs = pairs

    def blocks(self, rows_M):
        for start in range(0, len(rows_M), 7):
            yield self.pairs.take(rows_M[start : start + 7])


def test_items_are_asked_block_by_block(stored, make_pairs):
    test, val = make_pairs(20), make_pairs(300, seed=1)
    settings = ClassifySettings(precision=0.4, confidence=0.5, decide="probable", beta=1.0)
    validation = measure_confidence(stored, val, np.arange(300), seed=0)
    rows_M = np.arange(19, -1, -1)
    found = measure_decisions(stored, Items(test), rows_M, validation, settings)
    np.testing.assert_array_equal(found.label_M, test.label_N.numpy()[rows_M])
    # As of validation items, were these such.
    wanted = measure_confidence(stored, test.take(rows_M), rows_M, seed=0)
    with torch.inference_mode():
        output = stored.model(test.image_NI, test.text_NT)
    for modality, probability_NK in stored.fusion.probabilities(output).items():
        one = found.answers[modality]
        np.testing.assert_allclose(
            one.confidence_ML, wanted.said[modality].confidence_ML, atol=1e-6
        )
        np.testing.assert_array_equal(one.right_ML, wanted.said[modality].right_ML)
        best_N = TREE.class_node_K[probability_NK.numpy().argmax(axis=1)]
        np.testing.assert_array_equal(one.node_MR[:, RULES.index("probable")], best_N[rows_M])
    assert set(found.thresholds) == set(Items.modalities)
    assert measure_decisions(stored, Items(test), rows_M, None, settings).thresholds == {}
