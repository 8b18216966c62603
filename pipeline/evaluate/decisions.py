"""What may run unattended: how right the model's answers are, level by level of the class tree.

Shape letters: M test items asked, B items of a block, K classes, L levels, R rules.
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
from pipeline.model.embed import asked_of, embed_pairs, predict
from pipeline.model.model_file import StoredModel
from pipeline.model.validation_file import Validation

RULES: tuple[Rule, ...] = get_args(Rule)
COVERAGES = (0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Of the table; the curve has CURVE points."""
CURVE = 100
ROWS = 512
"""Items at a time: a value for every node of a tree of ten thousand is 20 MB."""


class Answers(NamedTuple):
    """What a model says of test items by one modality."""

    confidence_ML: np.ndarray
    """[M, L] probability of the most probable node of each level."""
    right_ML: np.ndarray
    """[M, L] bool: whether the item's class is at or below that node."""
    node_MR: np.ndarray
    """[M, R] node that each of RULES decides on."""
    asked_M: np.ndarray
    """[M] bool: whether an item has what is asked for, `fused` both; no figure is of the others."""

    def asked(self) -> "Answers":
        """Keep the items that have the modality."""
        return Answers(*(column[self.asked_M] for column in self))


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
    parts: dict[str, list[Answers]] = {name: [] for name in items.modalities}
    labels = []
    for pairs in items.blocks(rows_M):
        points = embed_pairs(stored.model, pairs)
        has = asked_of(points)
        label_N = pairs.label_N.numpy()
        labels.append(label_N)
        for start in range(0, len(label_N), ROWS):
            part = slice(start, start + ROWS)
            image_BD, text_BD = points["image"][part], points["text"][part]
            for rows, probabilities in predict(stored, image_BD, text_BD):
                for modality in items.modalities:
                    found = probabilities[modality].class_BK.numpy()
                    asked_B = has[modality][part][rows]
                    answers = _answers(tree, found, label_N[part][rows], settings.beta, asked_B)
                    parts[modality].append(answers)
    said = {
        modality: Answers(*map(np.concatenate, zip(*blocks, strict=True)))
        for modality, blocks in parts.items()
    }
    thresholds = {}
    if validation is not None:
        thresholds = {
            modality: fit_thresholds(
                *validation.asked(modality),
                precision=settings.precision,
                confidence=settings.confidence,
            )
            for modality in items.modalities
        }
    return Decisions(tree, np.concatenate(labels), said, thresholds, settings.precision)


def _answers(
    tree: ClassTree,
    probability_BK: np.ndarray,
    label_B: np.ndarray,
    beta: float,
    asked_B: np.ndarray,
) -> Answers:
    best_BL, confidence_BL = tree.best_by_level(tree.node_probabilities(probability_BK))
    node_RB = [decide(tree, probability_BK, rule, beta=beta) for rule in RULES]
    right_BL = tree.node_KL[label_B] == best_BL
    return Answers(confidence_BL, right_BL, np.stack(node_RB, axis=1), asked_B)


def filed_and_right(found: Decisions, modality: str) -> tuple[np.ndarray, np.ndarray]:
    """At which level each item would be filed, 0 for none, and whether rightly: two of [M].

    An item that was not asked is not filed.
    """
    one = found.answers[modality]
    level_M = choose_level(one.confidence_ML, found.thresholds[modality]) * one.asked_M
    right_M = np.take_along_axis(one.right_ML, np.maximum(level_M, 1)[:, None] - 1, axis=1)[:, 0]
    return level_M, right_M & (level_M > 0)


def filing_outcomes(found: Decisions) -> dict[str, np.ndarray]:
    """What every item contributes to the figures of filing, [M] float64 by their names.

    `filing.<modality>.share` is 1 where an item is filed unattended, `filing.<modality>.right`
    where that is right. Both are of all items that were asked, so that two runs can be compared
    item by item; NaN for the others.
    """
    values = {}
    for modality in found.thresholds:
        level_M, right_M = filed_and_right(found, modality)
        asked_M = found.answers[modality].asked_M
        if not asked_M.any():
            continue
        values[f"filing.{modality}.share"] = np.where(asked_M, level_M > 0, np.nan)
        values[f"filing.{modality}.right"] = np.where(asked_M, right_M, np.nan)
    return values


def decisions_tree(found: Decisions) -> dict[str, Any]:
    """Figures for details.json: `filing`, `precision_at_coverage`, `reliability` and `rules`."""
    answers = {name: one.asked() for name, one in found.answers.items() if one.asked_M.any()}
    tree: dict[str, Any] = {
        "filing": {name: _filing(found, name) for name in found.thresholds if name in answers},
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
            for name, one in answers.items()
        },
        "calibration_error": {
            name: {
                f"level_{level + 1}": calibration_error(_reliability(one, level))
                for level in range(found.tree.levels)
            }
            for name, one in answers.items()
        },
        "rules": {name: _rules(found, name) for name in answers},
    }
    return {key: value for key, value in tree.items() if value}


def curves(found: Decisions, modality: str) -> dict[int, np.ndarray]:
    """[CURVE, 2] coverage and precision by level."""
    coverage = np.arange(1, CURVE + 1) / CURVE
    one = found.answers[modality].asked()
    return {
        level + 1: np.stack([coverage, _precision(one, level, coverage.tolist())], axis=1)
        for level in range(found.tree.levels)
    }


def reliabilities(found: Decisions, modality: str) -> dict[int, list[Bin]]:
    """What is said and what holds, by level."""
    one = found.answers[modality].asked()
    return {level + 1: _reliability(one, level) for level in range(found.tree.levels)}


def drawn_modality(found: Decisions) -> str:
    """Which answers are drawn: those by both, or by the one that there is."""
    return [name for name, one in found.answers.items() if one.asked_M.any()][-1]


def draw_decisions(found: Decisions) -> DecisionCharts:
    """Draw both charts."""
    modality = drawn_modality(found)
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
    asked_M = found.answers[modality].asked_M
    level_M, right_M = (column_M[asked_M] for column_M in filed_and_right(found, modality))
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


def _rules(found: Decisions, modality: str) -> Mapping[str, Any]:
    """How each rule fares: does it name the class, and how far off is it in the tree?"""
    one = found.answers[modality]
    tree, label_M = found.tree, found.label_M[one.asked_M]
    node_parts = [path.split(tree.separator) if path else [] for path in tree.path_J]
    class_parts = [node_parts[node] for node in tree.class_node_K]
    rows: dict[str, Any] = {}
    for rule, node_M in zip(RULES, one.asked().node_MR.T, strict=True):
        distance_M = tree.distance(node_M, label_M)
        overlap = path_overlap(label_M, node_M, class_parts, node_parts)
        rows[rule] = {
            "accuracy": float((distance_M == 0).mean()),
            "tree_distance": float(distance_M.mean()),
            **{f"hierarchical_{name}": value for name, value in overlap._asdict().items()},
        }
    return rows
