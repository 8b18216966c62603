"""Metrics and plot data as plain values: what goes into metrics.json and plots/*.csv."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.evaluation.directions import Direction
from pipeline.evaluation.embed import Embedded
from pipeline.files.csv_file import write_csv
from pipeline.metrics.classification import confusion_counts, most_confused_classes


def metrics_tree(
    directions: dict[str, Direction], embedded: dict[str, Embedded], label_N: np.ndarray
) -> dict[str, Any]:
    """Arrange the metrics so that `dvc metrics show` reads well.

    Args:
        directions: Results by direction.
        embedded: Test items by modality: image, text, fused.
        label_N: [N] true classes.

    Returns:
        `retrieval.<direction>.r_at_<k>`, `hierarchy.<direction>.hp_at_<k>`,
        `classification.<modality>.accuracy` and `test.items`, as a nested dict of numbers.
    """
    return {
        "test": {
            "items": len(label_N),
            "classes": len(np.unique(label_N)),
            "unanswerable_queries": directions["image_to_image"].unanswerable,
        },
        "retrieval": {
            name: {
                **{f"r_at_{k}": value for k, value in direction.recall.items()},
                "chance_r_at_1": direction.chance,
            }
            for name, direction in directions.items()
        },
        "hierarchy": {
            name: {f"hp_at_{k}": v for k, v in direction.hierarchical_precision.items()}
            for name, direction in directions.items()
        },
        "classification": {
            modality: {"accuracy": float((result.predicted_N.cpu().numpy() == label_N).mean())}
            for modality, result in embedded.items()
        },
    }


def recall_curves(directions: dict[str, Direction]) -> pd.DataFrame:
    """R@K by K, one column per direction.

    Args:
        directions: Results by direction.

    Returns:
        Columns `k` and the directions.
    """
    curves = {name: direction.curve for name, direction in directions.items()}
    frame = pd.DataFrame(curves)
    frame.insert(0, "k", range(1, len(frame) + 1))
    return frame


def top_level_confusion(
    label_N: np.ndarray, predicted_N: np.ndarray, class_parts: Sequence[Sequence[str]]
) -> pd.DataFrame:
    """True and predicted top-level class of every test item.

    Args:
        label_N: [N] true classes.
        predicted_N: [N] predicted classes.
        class_parts: K class paths.

    Returns:
        Columns `actual` and `predicted`, a row per item.
    """
    top_K = np.array([parts[0] for parts in class_parts], dtype=object)
    return pd.DataFrame({"actual": top_K[label_N], "predicted": top_K[predicted_N]})


def leaf_confusion(
    label_N: np.ndarray, predicted_N: np.ndarray, names: Sequence[str], count: int
) -> pd.DataFrame:
    """True and predicted class of test items among the classes confused most.

    Args:
        label_N: [N] true classes.
        predicted_N: [N] predicted classes.
        names: K class names.
        count: Number of classes.

    Returns:
        Columns `actual` and `predicted`, a row per item whose true and predicted class are both
        among those classes. Without any error, the most frequent classes are taken.
    """
    pairs = confusion_counts(label_N, predicted_N)
    chosen = most_confused_classes(pairs, count) or [pair.true for pair in pairs[:count]]
    kept_N = np.isin(label_N, chosen) & np.isin(predicted_N, chosen)
    name_K = np.array(names, dtype=object)
    return pd.DataFrame(
        {"actual": name_K[label_N[kept_N]], "predicted": name_K[predicted_N[kept_N]]}
    )


def write_plot_data(
    folder: Path,
    directions: dict[str, Direction],
    label_N: np.ndarray,
    predicted_N: np.ndarray,
    *,
    class_parts: Sequence[Sequence[str]],
    names: Sequence[str],
    confusions: int,
) -> None:
    """Write what dvc.yaml declares as plots.

    Args:
        folder: Where to.
        directions: Results by direction.
        label_N: [N] true classes.
        predicted_N: [N] classes predicted from both modalities.
        class_parts: K class paths.
        names: K class names.
        confusions: Classes in the leaf confusion matrix.

    Raises:
        InputError: The folder cannot be written to.
    """
    write_csv(folder / "recall_at_k.csv", recall_curves(directions))
    top_level = top_level_confusion(label_N, predicted_N, class_parts)
    write_csv(folder / "confusion_top.csv", top_level)
    leaf = leaf_confusion(label_N, predicted_N, names, confusions)
    write_csv(folder / "confusion_leaf.csv", leaf)
