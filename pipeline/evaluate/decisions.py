"""What may run unattended: how right the model's answers are, level by level of the class tree.

Shape letters: M test items asked, K classes, L levels, R rules.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_args

import numpy as np

from pipeline.decide.rules import decide
from pipeline.decide.settings import ClassifySettings, Rule
from pipeline.decide.thresholds import Threshold, choose_level, fit_thresholds
from pipeline.evaluate.charts import Chart, draw_chart
from pipeline.evaluate.evaluation_items import EvaluationItems
from pipeline.features.class_tree import ClassTree
from pipeline.metrics.path_overlap import path_overlap
from pipeline.metrics.selective import Bin, calibration_error, precision_at_coverage, reliability
from pipeline.model.embed import embed, predict
from pipeline.model.model_file import StoredModel
from pipeline.model.validation_file import Validation

RULES: tuple[Rule, ...] = get_args(Rule)
COVERAGES = (0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Of the table; the curve has CURVE points."""
CURVE = 100


class Answers(NamedTuple):
    """What a model says of test items by one modality."""

    confidence_ML: np.ndarray
    """[M, L] probability of the most probable node of each level."""
    right_ML: np.ndarray
    """[M, L] bool: whether the item's class is at or below that node."""
    node_MR: np.ndarray
    """[M, R] node that each of RULES decides on."""


class Decisions(NamedTuple):
    """Test items, and what would become of them."""

    tree: ClassTree
    label_M: np.ndarray
    answers: dict[str, Answers]
    """By modality."""
    thresholds: dict[str, list[Threshold]]
    """By modality, from validation items; empty where the model kept none."""
    precision: float
    """That the thresholds were fitted for."""


class DecisionCharts(NamedTuple):
    """What the report draws."""

    precision: float
    coverage: Chart
    reliability: Chart


def measure_decisions(
    stored: StoredModel,
    items: EvaluationItems,
    rows_M: np.ndarray,
    validation: Validation | None,
    settings: ClassifySettings,
) -> Decisions:
    """Ask the model of the items at M positions, block by block.

    Nothing is fitted on them: thresholds come from what the model said of validation items.
    """
    tree = ClassTree(stored.classes)
    parts: dict[str, list[tuple[np.ndarray, ...]]] = {name: [] for name in items.modalities}
    labels = []
    for pairs in items.blocks(rows_M):
        points = embed(stored.model, pairs.image_NI, pairs.text_NT)
        label_N = pairs.label_N.numpy()
        labels.append(label_N)
        for rows, probabilities in predict(stored, points["image"], points["text"]):
            for modality in items.modalities:
                probability_NK = probabilities[modality].class_BK.numpy()
                best_NL, confidence_NL = tree.best_by_level(tree.node_probabilities(probability_NK))
                node_RN = [decide(tree, probability_NK, rule, beta=settings.beta) for rule in RULES]
                right_NL = tree.node_KL[label_N[rows]] == best_NL
                parts[modality].append((confidence_NL, right_NL, np.stack(node_RN, axis=1)))
    answers = {
        modality: Answers(*map(np.concatenate, zip(*blocks, strict=True)))
        for modality, blocks in parts.items()
    }
    thresholds = {}
    if validation is not None:
        thresholds = {
            modality: fit_thresholds(
                *validation.said[modality],
                validation.group_M,
                precision=settings.precision,
                confidence=settings.confidence,
            )
            for modality in items.modalities
        }
    return Decisions(tree, np.concatenate(labels), answers, thresholds, settings.precision)


def filed_and_right(found: Decisions, modality: str) -> tuple[np.ndarray, np.ndarray]:
    """At which level each item would be filed, 0 for none, and whether rightly: two of [M]."""
    one = found.answers[modality]
    level_M = choose_level(one.confidence_ML, found.thresholds[modality])
    right_M = np.take_along_axis(one.right_ML, np.maximum(level_M, 1)[:, None] - 1, axis=1)[:, 0]
    return level_M, right_M & (level_M > 0)


def filing_outcomes(found: Decisions) -> dict[str, np.ndarray]:
    """What every item contributes to the figures of filing, [M] float64 by their names.

    `filing.<modality>.share` is 1 where an item is filed unattended, and
    `filing.<modality>.precision` tells of those items whether rightly.
    """
    values = {}
    for modality in found.thresholds:
        level_M, right_M = filed_and_right(found, modality)
        values[f"filing.{modality}.share"] = (level_M > 0).astype(np.float64)
        if level_M.any():
            values[f"filing.{modality}.precision"] = np.where(level_M > 0, right_M, np.nan)
    return values


def decisions_tree(found: Decisions) -> dict[str, Any]:
    """Figures for details.json: `filing`, `precision_at_coverage`, `reliability` and `rules`."""
    tree: dict[str, Any] = {
        "filing": {name: _filing(found, name) for name in found.thresholds},
        "precision_at_coverage": {
            name: {
                f"level_{level + 1}": dict(
                    zip(
                        map(str, COVERAGES),
                        _precision(one, level, COVERAGES).tolist(),
                        strict=True,
                    )
                )
                for level in range(found.tree.levels)
            }
            for name, one in found.answers.items()
        },
        "calibration_error": {
            name: {
                f"level_{level + 1}": calibration_error(_reliability(one, level))
                for level in range(found.tree.levels)
            }
            for name, one in found.answers.items()
        },
        "rules": {name: _rules(found, one) for name, one in found.answers.items()},
    }
    return {key: value for key, value in tree.items() if value}


def curves(found: Decisions, modality: str) -> dict[int, np.ndarray]:
    """[CURVE, 2] coverage and precision by level."""
    coverage = np.arange(1, CURVE + 1) / CURVE
    one = found.answers[modality]
    return {
        level + 1: np.stack([coverage, _precision(one, level, coverage.tolist())], axis=1)
        for level in range(found.tree.levels)
    }


def reliabilities(found: Decisions, modality: str) -> dict[int, list[Bin]]:
    """What is said and what holds, by level."""
    one = found.answers[modality]
    return {level + 1: _reliability(one, level) for level in range(found.tree.levels)}


def draw_decisions(found: Decisions) -> DecisionCharts:
    """Draw both charts, from the last modality."""
    modality = list(found.answers)[-1]
    said = {
        f"level {level}": np.array([[one.confidence, one.right] for one in bins])
        for level, bins in reliabilities(found, modality).items()
    }
    lines = {f"level {level}": curve for level, curve in curves(found, modality).items()}
    return DecisionCharts(found.precision, draw_chart(lines, left=0.0), draw_chart(said))


def _precision(one: Answers, level: int, coverage: Sequence[float]) -> np.ndarray:
    return precision_at_coverage(one.confidence_ML[:, level], one.right_ML[:, level], coverage)


def _reliability(one: Answers, level: int) -> list[Bin]:
    return reliability(one.confidence_ML[:, level], one.right_ML[:, level])


def _filing(found: Decisions, modality: str) -> dict[str, Any]:
    """By level and in all: how many of the items are filed there, and the share that is right."""
    level_M, right_M = filed_and_right(found, modality)
    rows: dict[str, Any] = {}
    for one in found.thresholds[modality]:
        here_M = level_M == one.level
        rows[f"level_{one.level}"] = {
            "threshold": one.least,
            "validation": one.right / one.items if one.items else None,
            **_share(here_M, right_M),
        }
    return rows | {"all": _share(level_M > 0, right_M)}


def _share(filed_M: np.ndarray, right_M: np.ndarray) -> dict[str, Any]:
    items = int(filed_M.sum())
    return {
        "share": float(filed_M.mean()),
        "items": items,
        "precision": float(right_M[filed_M].mean()) if items else None,
    }


def _rules(found: Decisions, one: Answers) -> Mapping[str, Any]:
    """How each rule fares: does it name the class, and how far off is it in the tree?"""
    tree, label_M = found.tree, found.label_M
    node_parts = [path.split(tree.separator) if path else [] for path in tree.path_J]
    class_parts = [node_parts[node] for node in tree.class_node_K]
    rows: dict[str, Any] = {}
    for rule, node_M in zip(RULES, one.node_MR.T, strict=True):
        distance_M = tree.distance(node_M, label_M)
        overlap = path_overlap(label_M, node_M, class_parts, node_parts)
        rows[rule] = {
            "accuracy": float((distance_M == 0).mean()),
            "tree_distance": float(distance_M.mean()),
            **{f"hierarchical_{name}": value for name, value in overlap._asdict().items()},
        }
    return rows
