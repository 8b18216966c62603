"""Data of the plots that dvc.yaml declares: plots/*.csv; for the graph see `graph_plots`.

Shape letters: N test items, K classes.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core.csv_file import write_csv
from pipeline.core.sample import draw_sample
from pipeline.evaluate.decisions import Decisions, curves, drawn_modality, reliabilities
from pipeline.evaluate.directions import CURVE, DIRECTIONS, Direction
from pipeline.features.classes import ClassEntry
from pipeline.metrics.classification import confusion_counts, most_confused_classes

MOST_CLASSES = 100
"""Classes in the plot of accuracies: more cannot be read."""
MOST_ITEMS = 20_000
"""Items that a confusion plot counts, a random sample of more: DVC puts a row per item into the
page."""


def recall_curves(directions: dict[str, Direction]) -> pd.DataFrame:
    """R@K by K, one column per direction.

    One that was not measured, or in which no query can be answered, is empty.
    """
    frame = pd.DataFrame({"k": range(1, CURVE + 1)})
    for name in DIRECTIONS:
        one = directions.get(name)
        frame[name] = np.nan
        if one is not None and one.answerable.any():
            frame[name] = one.curve_MR[one.answerable].mean(axis=0)
    return frame


def top_level_confusion(
    label_N: np.ndarray, predicted_N: np.ndarray, class_parts: Sequence[Sequence[str]]
) -> pd.DataFrame:
    """Columns `actual` and `predicted`: the top-level class of every test item, or MOST_ITEMS."""
    top_K = np.array([parts[0] for parts in class_parts], dtype=object)
    return _confusion(label_N, predicted_N, top_K)


def leaf_confusion(
    label_N: np.ndarray, predicted_N: np.ndarray, names: Sequence[str], count: int
) -> pd.DataFrame:
    """Columns `actual` and `predicted`: items of which both are among the classes confused most.

    Without any error, the most frequent classes are taken. Of many items, MOST_ITEMS.
    """
    pairs = confusion_counts(label_N, predicted_N)
    # A model without errors has a plot too.
    chosen = most_confused_classes(pairs, count) or [pair.true for pair in pairs[:count]]
    kept_N = np.isin(label_N, chosen) & np.isin(predicted_N, chosen)
    return _confusion(label_N[kept_N], predicted_N[kept_N], np.array(names, dtype=object))


def _confusion(label_N: np.ndarray, predicted_N: np.ndarray, name_K: np.ndarray) -> pd.DataFrame:
    rows = draw_sample(len(label_N), MOST_ITEMS, seed=0)
    return pd.DataFrame({"actual": name_K[label_N[rows]], "predicted": name_K[predicted_N[rows]]})


def class_accuracy(
    label_N: np.ndarray, predicted_N: np.ndarray, names: Sequence[str]
) -> pd.DataFrame:
    """Share of each class's test items that were given their class: `class`, `accuracy`, `items`.

    The MOST_CLASSES classes with most test items, by falling accuracy.
    """
    frame = pd.DataFrame({"label": label_N, "right": label_N == predicted_N})
    found = frame.groupby("label")["right"].agg(["mean", "size"]).reset_index()
    found = found.sort_values(["size", "label"], ascending=[False, True]).head(MOST_CLASSES)
    found = found.sort_values(["mean", "label"], ascending=[False, True])
    return pd.DataFrame(
        {
            "class": [names[label] for label in found["label"]],
            "accuracy": found["mean"].to_numpy(),
            "items": found["size"].to_numpy(),
        }
    )


def write_plot_data(
    folder: Path,
    directions: dict[str, Direction],
    label_N: np.ndarray,
    predicted_N: np.ndarray,
    *,
    classes: Sequence[ClassEntry],
    confusions: int,
) -> None:
    """Write what dvc.yaml declares as plots."""
    names = [entry["name"] for entry in classes]
    class_parts = [entry["parts"] for entry in classes]
    write_csv(folder / "recall_at_k.csv", recall_curves(directions))
    top_level = top_level_confusion(label_N, predicted_N, class_parts)
    write_csv(folder / "confusion_top.csv", top_level)
    leaf = leaf_confusion(label_N, predicted_N, names, confusions)
    write_csv(folder / "confusion_leaf.csv", leaf)
    write_csv(folder / "class_accuracy.csv", class_accuracy(label_N, predicted_N, names))


def write_decision_plots(folder: Path, found: Decisions | None) -> None:
    """Write two folders with a chart per level of the tree, from the last modality.

    `precision_at_coverage` has columns `coverage` and `precision`, `reliability` has `confidence`,
    `right` and `items`. Without test items they are empty.
    """
    for name in ("precision_at_coverage", "reliability"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for old in (folder / name).glob("level_*.csv"):  # of a deeper tree
            old.unlink()
    if found is None:
        return
    modality = drawn_modality(found)
    for level, curve in curves(found, modality).items():
        frame = pd.DataFrame(curve, columns=["coverage", "precision"])
        write_csv(folder / "precision_at_coverage" / f"level_{level}.csv", frame)
    for level, bins in reliabilities(found, modality).items():
        write_csv(folder / "reliability" / f"level_{level}.csv", pd.DataFrame(bins))
