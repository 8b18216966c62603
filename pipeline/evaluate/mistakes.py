"""How bad the mistakes are along the class tree, the model's beside the baseline's.

Shape letters: N test items, C columns.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.evaluate.outcomes import SEED
from pipeline.evaluate.predictions import Predicted, select
from pipeline.metrics.bootstrap import interval_ends, resampled_means
from pipeline.metrics.graded_hierarchy import ClassHeights, class_heights
from pipeline.metrics.mistakes import hierarchical_distance, mistake_heights
from pipeline.metrics.path_overlap import path_overlap
from pipeline.metrics.preference_order import preference_order

DISTANCE_K = (5, 20)
"""Cut-offs of AHD@k beside 1, which takes no more than the predicted class."""
ORDER_K = (5, 20)
"""Cut-offs of HOPS@k; at 1 it is accuracy."""

Tree = dict[str, Any]


def mistakes_tree(
    embedded: Mapping[str, Predicted],
    label_N: np.ndarray,
    group_N: np.ndarray,
    class_parts: Sequence[Sequence[str]],
    baseline: Mapping[str, np.ndarray],
) -> Tree:
    """Figures of the wrong predictions by modality; empty without items.

    Args:
        embedded: Test items by modality.
        label_N: [N] int64 classes.
        group_N: [N] int64: items that the bootstrap draws together.
        class_parts: K class paths.
        baseline: [N] int64 classes that logistic regression names, by modality; -1 where it was
            not asked.

    Returns:
        By modality the figures of the model, with `intervals`; below it `baseline`, figures of
        logistic regression, and `difference`, model minus baseline on the items that it was asked,
        of those that there are of both. The severity of no mistakes is left out. Beside the
        modalities `tree_height`, the farthest that a prediction can be off.
    """
    if len(label_N) == 0:
        return {}
    heights = class_heights(class_parts)
    tree = {}
    for modality, one in embedded.items():
        has_N = one.has_N.cpu().numpy()
        if not has_N.any():
            continue
        tree[modality] = _model(select(one, one.has_N), label_N[has_N], heights, class_parts)
        own_N = np.where(has_N, one.predicted_N.cpu().numpy(), -1)
        distances = [_distances(own_N, label_N, heights)]
        said_N = baseline.get(modality)
        if said_N is not None and (said_N >= 0).any():
            asked = said_N >= 0
            tree[modality]["baseline"] = _of_classes(
                said_N[asked], label_N[asked], heights, class_parts
            )
            distances.append(_distances(said_N, label_N, heights))
            # What only one was asked says nothing of how they differ.
            distances.append(_distances(np.where(asked, own_N, -1), label_N, heights))
        _add_intervals(tree[modality], distances, group_N)
    return {**tree, "tree_height": heights.tree}


def _model(
    one: Predicted,
    label_N: np.ndarray,
    heights: ClassHeights,
    class_parts: Sequence[Sequence[str]],
) -> Tree:
    best_NR = one.best_NR.cpu().numpy()
    figures = _of_classes(one.predicted_N.cpu().numpy(), label_N, heights, class_parts)
    for k in DISTANCE_K:
        distance_N = hierarchical_distance(label_N, best_NR, heights, k)
        figures[f"ahd_at_{k}"] = float(distance_N.mean())
    for k in ORDER_K:
        figures[f"hops_at_{k}"] = float(preference_order(label_N, best_NR, heights, k).mean())
    return {
        **figures,
        "full_path_accuracy": float(one.full_path_N.double().mean()),
        "inconsistent_paths": float((~one.one_path_N).double().mean()),
    }


def _of_classes(
    predicted_N: np.ndarray,
    label_N: np.ndarray,
    heights: ClassHeights,
    class_parts: Sequence[Sequence[str]],
) -> Tree:
    """Figures that take no more than the predicted classes."""
    severity, distance = _means(_distances(predicted_N, label_N, heights))
    overlap = path_overlap(label_N, predicted_N, class_parts, class_parts)
    return {
        "wrong_items": int((predicted_N != label_N).sum()),
        **({} if np.isnan(severity) else {"severity": severity}),
        "ahd_at_1": distance,
        "hierarchical_precision": overlap.precision,
        "hierarchical_recall": overlap.recall,
        "hierarchical_f1": overlap.f1,
    }


def _distances(predicted_N: np.ndarray, label_N: np.ndarray, heights: ClassHeights) -> np.ndarray:
    """[N, 2] heights: of the mistakes, and of all items; NaN where an item is in neither mean."""
    wrong_N = mistake_heights(label_N, predicted_N, heights)
    distance_N2 = np.stack((wrong_N, np.nan_to_num(wrong_N)), axis=1)
    distance_N2[predicted_N < 0] = np.nan
    return distance_N2


def _means(distance_N2: np.ndarray) -> list[float]:
    """The means of `_distances`; NaN of nothing."""
    count_2 = (~np.isnan(distance_N2)).sum(axis=0)
    sum_2 = np.nansum(distance_N2, axis=0)
    return np.where(count_2 > 0, sum_2 / np.maximum(count_2, 1), np.nan).tolist()


def _add_intervals(figures: Tree, distances: list[np.ndarray], group_N: np.ndarray) -> None:
    """Add the bootstrap's intervals, of the model, the baseline and their difference.

    Given are distances of the model and, with a baseline, its own and those of the model on the
    items that it was asked. All from the same draws: items that are hard for one are hard for the
    other. A draw's severity is of the mistakes in that draw.
    """
    mean_SC = resampled_means(np.concatenate(distances, axis=1), group_N, seed=SEED)
    named = ("severity", "ahd_at_1")
    figures["intervals"] = _ends(named, mean_SC[:, :2])
    if len(distances) == 1:
        return
    baseline = figures["baseline"]
    baseline["intervals"] = _ends(named, mean_SC[:, 2:4])
    less_2 = np.subtract(_means(distances[2]), _means(distances[1]))
    figures["difference"] = {
        **{
            name: less
            for name, less in zip(named, less_2.tolist(), strict=True)
            if not np.isnan(less)
        },
        "intervals": _ends(named, mean_SC[:, 4:] - mean_SC[:, 2:4]),
    }


def _ends(names: Sequence[str], mean_SC: np.ndarray) -> Tree:
    """Ends of the intervals by name; none where no draw gave a mean."""
    ends = zip(names, interval_ends(mean_SC).tolist(), strict=True)
    return {name: pair for name, pair in ends if not np.isnan(pair).any()}
