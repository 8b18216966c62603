"""Measure one trained cell: the columns of the paper's three tables."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from cell import artifacts

from pipeline.catalog.classes import item_classes
from pipeline.dataset.pairs import load_pairs
from pipeline.evaluation.directions import PAPER_DIRECTIONS, measure_directions
from pipeline.evaluation.embed import embed_pairs
from pipeline.models.store import load_model

CUTOFFS, HIERARCHY_CUTOFFS = (1, 5, 10), (2, 5, 10)


def measure(folder: Path, split: str) -> dict[str, Any]:
    """Measure what `train_cell` left in a folder.

    Args:
        folder: Where the model is.
        split: `val`, which settings are chosen by, or `test`.

    Returns:
        `recall` and `hierarchy` at their three cut-offs by direction, `accuracy` by modality.
    """
    stored = load_model(folder / "model")
    pairs = load_pairs(**artifacts()).only(split)
    embedded = embed_pairs(stored, pairs)
    class_parts = [entry["parts"] for entry in item_classes(stored.classes)]
    directions = measure_directions(
        embedded, pairs.label_N, class_parts, k=CUTOFFS, hp_k=HIERARCHY_CUTOFFS
    )
    return {
        "recall": {name: list(directions[name].recall.values()) for name in PAPER_DIRECTIONS},
        "hierarchy": {
            name: list(directions[name].hierarchical_precision.values())
            for name in PAPER_DIRECTIONS
        },
        "accuracy": {
            name: float(np.mean(torch.eq(one.predicted_N, pairs.label_N).numpy()))
            for name, one in embedded.items()
        },
    }


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
