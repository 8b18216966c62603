"""Measure one trained cell: the columns of the paper's three tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from cell import artifacts
from projection import longest_projection
from torch import Tensor

from pipeline.core.errors import InputError
from pipeline.core.params import read_params
from pipeline.evaluate.directions import (
    PAPER_DIRECTIONS,
    Direction,
    measure_directions,
    paper_rule,
)
from pipeline.evaluate.predictions import Predicted, predict_pairs
from pipeline.features.classes import class_levels, item_classes
from pipeline.features.joined import index_features
from pipeline.features.pairs import read_pairs
from pipeline.metrics.graded_hierarchy import class_heights
from pipeline.metrics.mistakes import mistake_heights
from pipeline.metrics.neighbours import worthless_results
from pipeline.model.model_file import StoredModel, load_model
from pipeline.train.objectives.hier_cos import tree_nodes

CUTOFFS, HIERARCHY_CUTOFFS = (1, 5, 10), (2, 5, 10)


def measure(folder: Path, split: str) -> dict[str, Any]:
    """Measure what `train_cell` left in a folder.

    Args:
        folder: Where the model is.
        split: `val`, which settings are chosen by, or `test`.

    Returns:
        `recall` and `hierarchy` at their three cut-offs by direction, as the main pipeline's
        evaluation measures them, and by the paper's rule, which leaves out the query alone, as
        `recall_paper_rule` and `hierarchy_paper_rule`; by modality `accuracy`, and what
        `mistakes` returns.
    """
    stored = load_model(folder / "model")
    pairs = read_pairs(index_features(**artifacts()).only(split))
    embedded = predict_pairs(stored, pairs)
    class_parts = [entry["parts"] for entry in item_classes(stored.classes)]
    cutoffs = {"k": CUTOFFS, "hp_k": HIERARCHY_CUTOFFS}
    assert pairs.shared_N3 is not None, "read_pairs reads what items share"
    groups = worthless_results(*pairs.shared_N3.T)
    directions = measure_directions(embedded, pairs.label_N, class_parts, groups=groups, **cutoffs)
    by_paper = paper_rule(embedded, pairs.label_N, class_parts, **cutoffs)
    predictions = _predictions(embedded, stored, folder)
    return {
        "recall": {name: _mean(one, one.hit_MC) for name, one in _paper(directions)},
        "hierarchy": {name: _mean(one, one.precision_MC) for name, one in _paper(directions)},
        "recall_paper_rule": {
            name: [figures[f"r_at_{k}"] for k in CUTOFFS] for name, figures in by_paper.items()
        },
        "hierarchy_paper_rule": {
            name: [figures[f"hp_at_{k}"] for k in HIERARCHY_CUTOFFS]
            for name, figures in by_paper.items()
        },
        "accuracy": {
            name: float(np.mean(torch.eq(predicted_N, pairs.label_N).numpy()))
            for name, predicted_N in predictions.items()
        },
        **mistakes(pairs.label_N, predictions, class_parts),
    }


def mistakes(
    label_N: Tensor, predictions: Mapping[str, Tensor], class_parts: Sequence[Sequence[str]]
) -> dict[str, dict[str, float]]:
    """Say how far off predictions are in the class tree, as heights of lowest common ancestors.

    Args:
        label_N: [N] int64 classes.
        predictions: [N] int64 predicted classes by modality.
        class_parts: K class paths.

    Returns:
        By modality `severity`, the mean over the mistakes, and `tree_distance`, over all items.
    """
    heights = class_heights(class_parts)
    off = {
        name: mistake_heights(label_N.numpy(), predicted_N.numpy(), heights)
        for name, predicted_N in predictions.items()
    }
    return {
        "severity": {name: float(np.nanmean(off_N)) for name, off_N in off.items()},
        "tree_distance": {name: float(np.nan_to_num(off_N).mean()) for name, off_N in off.items()},
    }


def _predictions(
    embedded: dict[str, Predicted], stored: StoredModel, folder: Path
) -> dict[str, Tensor]:
    """Class of every item by modality, by the rule of the objective's authors."""
    loss = read_params(folder / "params.yaml")["loss"]
    if loss["objective"] != "hier_cos":
        return {name: one.predicted_N for name, one in embedded.items()}
    depth_KM = tree_nodes(torch.from_numpy(class_levels(stored.classes)))
    signed = loss["hier_cos"]["signed"]
    return {
        name: longest_projection(one.embedding_ND, depth_KM, signed=signed)
        for name, one in embedded.items()
    }


def _paper(directions: dict[str, Direction]) -> list[tuple[str, Direction]]:
    return [(name, directions[name]) for name in PAPER_DIRECTIONS]


def _mean(one: Direction, value_NC: np.ndarray) -> list[float]:
    """Mean over the queries that a candidate can answer."""
    if not one.answerable.any():
        raise InputError("no query of a direction can be answered; choose another catalogue")
    return value_NC[one.answerable].mean(axis=0, dtype=np.float64).tolist()


def summary(measured: dict[str, Any]) -> dict[str, float]:
    """One figure per table, and their mean, by which settings are chosen.

    Args:
        measured: What `measure` returned.

    Returns:
        Mean R@K and mean HP@K over all columns, fused accuracy, and `score`, the mean of the three.
    """
    figures = {
        "recall": float(np.mean(list(measured["recall"].values()))),
        "hierarchy": float(np.mean(list(measured["hierarchy"].values()))),
        "accuracy_fused": measured["accuracy"]["fused"],
    }
    return {**figures, "score": float(np.mean(list(figures.values())))}
