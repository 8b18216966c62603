"""All figures of an evaluation: metrics.json for comparing runs, details.json for looking closer.

Shape letters: N test items, C figures.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from pipeline.evaluation.directions import (
    AREA_TO,
    DIRECTIONS,
    GRADED_K,
    PAPER_DIRECTIONS,
    Direction,
)
from pipeline.evaluation.embed import TOP, Embedded
from pipeline.metrics.bootstrap import bootstrap_intervals
from pipeline.metrics.classification import SHARED_TOP, accuracy_by_level, macro_f1
from pipeline.metrics.graph_shape import graph_correlation
from pipeline.metrics.instance import instance_rank
from pipeline.metrics.support import class_support

Tree = dict[str, Any]


class Measured(NamedTuple):
    """What the figures are computed from."""

    embedded: dict[str, Embedded]
    """By modality."""
    label_N: Tensor
    directions: dict[str, Direction]
    """Empty where there are fewer than two classes."""


def metrics_tree(test: Measured, adjacency_KK: np.ndarray) -> Tree:
    """Figures to compare runs by, in the order in which `dvc exp show` has its columns.

    The first are one number each for the whole: means of the paper's four directions, and the
    accuracy from both modalities (from the one there is, if there is one). Intervals are pairs in
    lists, which DVC's tables pass over.

    Args:
        test: The test items.
        adjacency_KK: [K, K] distances of the semantic graph.

    Returns:
        `retrieval.<direction>.r_at_<k>`, `hierarchy.<direction>.hp_at_<k>`,
        `classification.<modality>.accuracy` (of the whole class path; where items have several
        labels, `top3_share` is beside it), `intervals` with the same names below it, and more.
        A figure that does not exist is left out.
    """
    items = {"items": len(test.label_N), "classes": len(test.label_N.unique())}
    if len(test.label_N) == 0:
        return {"test": items}
    retrieval = {
        name: {
            **{f"r_at_{k}": value for k, value in one.recall.items()},
            "map_at_r": float(one.average_precision_N.mean()),
            "chance_r_at_1": one.chance,
        }
        for name, one in test.directions.items()
    }
    hierarchy = {
        name: {f"hp_at_{k}": value for k, value in one.hierarchical_precision.items()}
        for name, one in test.directions.items()
    }
    classification = {
        modality: {name: float(value_N.mean()) for name, value_N in _judged(test, modality).items()}
        for modality in test.embedded
    }
    tree: Tree = {
        **_means(retrieval, hierarchy),
        **list(classification.values())[-1],
        "classification": classification,
        "retrieval": retrieval,
        "hierarchy": hierarchy,
        "graph_correlation": _correlations(test, adjacency_KK),
        "test": items,
        "intervals": _intervals(test),
    }
    return {key: value for key, value in tree.items() if value != {}}


def details_tree(
    test: Measured, train_label_N: np.ndarray, class_parts: Sequence[Sequence[str]]
) -> Tree:
    """Figures for a closer look, too many for a table that compares runs.

    Args:
        test: The test items.
        train_label_N: Classes of the training items.
        class_parts: K class paths.

    Returns:
        A nested dict of numbers.
    """
    label_N = test.label_N.cpu().numpy()
    support = class_support(train_label_N, label_N)
    tree: Tree = {
        "test": {
            "items": len(label_N),
            "classes": len(support.tested),
            "classes_only_in_test": len(support.unseen),
            "classes_with_one_item": len(support.single),
        },
        "retrieval": {
            name: {"unanswerable_queries": int((one.candidates_N == 0).sum())}
            for name, one in test.directions.items()
        },
        "instance": _instance(test),
        "graded_hierarchy": {name: _graded(one) for name, one in test.directions.items()},
    }
    if len(label_N) > 0:
        tree["classification"] = {
            modality: _classification(one, label_N, class_parts)
            for modality, one in test.embedded.items()
        }
    return {key: value for key, value in tree.items() if value != {}}


def _means(retrieval: Tree, hierarchy: Tree) -> Tree:
    four = [name for name in PAPER_DIRECTIONS if name in retrieval]
    if not four:
        return {}
    first, last = next(iter(retrieval[four[0]])), list(hierarchy[four[0]])[-1]
    return {
        first: float(np.mean([retrieval[name][first] for name in four])),
        "map_at_r": float(np.mean([retrieval[name]["map_at_r"] for name in four])),
        last: float(np.mean([hierarchy[name][last] for name in four])),
    }


def _judged(test: Measured, modality: str) -> dict[str, np.ndarray]:
    """How well each item was classified, by the name of the figure that is the mean."""
    one = test.embedded[modality]
    judged = {"accuracy": (one.predicted_N == test.label_N).cpu().numpy()}
    if one.shared_N is not None:
        judged[f"top{SHARED_TOP}_share"] = one.shared_N.cpu().numpy()
    return judged


def _correlations(test: Measured, adjacency_KK: np.ndarray) -> Tree:
    found = {
        modality: graph_correlation(one.embedding_ND, test.label_N, adjacency_KK).rho
        for modality, one in test.embedded.items()
    }
    return {modality: rho for modality, rho in found.items() if rho is not None}


def _intervals(test: Measured) -> Tree:
    """95 % intervals, all from the same draws of queries."""
    values: dict[tuple[str, str, str], np.ndarray] = {}
    for modality in test.embedded:
        for figure, value_N in _judged(test, modality).items():
            values["classification", modality, figure] = value_N
    for name, one in test.directions.items():
        for k, hit_N in zip(one.recall, one.hit_NC.T, strict=True):
            values["retrieval", name, f"r_at_{k}"] = hit_N
        values["retrieval", name, "map_at_r"] = one.average_precision_N
        for k, precision_N in zip(one.hierarchical_precision, one.precision_NC.T, strict=True):
            values["hierarchy", name, f"hp_at_{k}"] = precision_N
    ends_C2 = bootstrap_intervals(np.stack(list(values.values()), axis=1), seed=0)
    tree: Tree = {}
    for (section, name, figure), ends in zip(values, ends_C2.tolist(), strict=True):
        tree.setdefault(section, {}).setdefault(name, {})[figure] = ends
    return tree


def _instance(test: Measured) -> Tree:
    """Whether an item's own picture comes back for its text, and the reverse."""
    own_N = torch.arange(len(test.label_N), device=test.label_N.device)
    tree: Tree = {}
    for name, (query, gallery) in DIRECTIONS.items():
        if query == gallery or not {query, gallery} <= set(test.embedded) or len(own_N) == 0:
            continue
        rank_N = (
            instance_rank(
                test.embedded[query].embedding_ND, test.embedded[gallery].embedding_ND, own_N
            )
            .cpu()
            .numpy()
        )
        shares = {f"r_at_{k}": float((rank_N <= k).mean()) for k in (1, 5, 10)}
        tree[name] = {**shares, "median_rank": float(np.median(rank_N))}
    return tree


def _graded(one: Direction) -> Tree:
    precision_C = one.graded.at_MC.mean(dim=0).tolist()
    return {
        **{f"hp_at_{k}": value for k, value in zip(GRADED_K, precision_C, strict=True)},
        f"ahp_at_{AREA_TO}": float(one.graded.area_M.mean()),
    }


def _classification(
    one: Embedded, label_N: np.ndarray, class_parts: Sequence[Sequence[str]]
) -> Tree:
    predicted_N = one.predicted_N.cpu().numpy()
    levels = accuracy_by_level(label_N, predicted_N, class_parts)
    return {
        f"top_{TOP}": float(one.in_top_N.double().mean()),
        "macro_f1": macro_f1(label_N, predicted_N),
        **{f"level_{level.level}_accuracy": level.accuracy for level in levels},
    }
