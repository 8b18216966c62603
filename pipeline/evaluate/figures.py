"""All figures of an evaluation: metrics.json for comparing runs, details.json for looking closer.

Shape letters: N test items, C figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pipeline.evaluate.decisions import Decisions, decisions_tree, filing_outcomes
from pipeline.evaluate.directions import (
    AREA_TO,
    DIRECTIONS,
    GRADED_K,
    PAPER_DIRECTIONS,
    Direction,
    paper_rule,
)
from pipeline.evaluate.mistakes import mistakes_tree
from pipeline.evaluate.outcomes import Outcomes
from pipeline.evaluate.predictions import TOP, Predicted
from pipeline.metrics.classification import SHARED_TOP, accuracy_by_level, macro_f1
from pipeline.metrics.graph_shape import graph_correlation
from pipeline.metrics.hierarchy import correct_everywhere, radius_to_enter
from pipeline.metrics.instance import instance_rank
from pipeline.metrics.support import class_support

Tree = dict[str, Any]


WHOLE_TREE_AT_MOST = 0.1
"""Share of the queries whose correct set for HP@K may be the whole tree: above it, HP@K says more
of the tree than of the space and is no headline figure."""


@dataclass(frozen=True)
class Measured:
    """What the figures are computed from."""

    embedded: dict[str, Predicted]
    """By modality."""
    label_N: Tensor
    queries: Tensor
    """[M] int64: the items that retrieval is measured with, all or a random sample, ascending."""
    directions: dict[str, Direction]
    """Empty where there are fewer than two classes."""
    item_ids: np.ndarray
    """[N] strings."""
    group_N: np.ndarray
    """[N] int64: items that belong together."""
    k: Sequence[int]
    """Cut-offs of R@K."""
    hp_k: Sequence[int]
    """Cut-offs of HP@K."""
    class_parts: Sequence[Sequence[str]]
    """K class paths."""
    baseline_right: dict[str, np.ndarray] = field(default_factory=dict)
    """[N] float64 by modality: 1 where logistic regression names the class, 0 where it does not,
    NaN where it was not asked; empty without a baseline."""
    baseline_predicted: dict[str, np.ndarray] = field(default_factory=dict)
    """[N] int64 by modality: the class it names, -1 where it was not asked."""
    decisions: Decisions | None = None
    """What would become of the queries' items; None without any."""

    @cached_property
    def whole_tree_share(self) -> dict[int, float]:
        """Share of the test items for which any result is right, by K of HP@K."""
        radius_KK = radius_to_enter(self.class_parts)
        whole = {k: correct_everywhere(radius_KK, k)[self.label_N.cpu()] for k in self.hp_k}
        return {k: float(whole_N.double().mean()) for k, whole_N in whole.items()}


def outcomes(test: Measured) -> Outcomes:
    """Put together what every test item contributes to every figure.

    Returns:
        Columns `retrieval.<direction>.r_at_<k>` and `.map_at_r`, `hierarchy.<direction>.hp_at_<k>`
        and `classification.<modality>.accuracy`; `baseline.<modality>.accuracy` where there is
        one. A direction in which no query can be answered has none. Headline figures are means
        over the paper's four directions, as far as there are, and the accuracy from both
        modalities.
    """
    value_of: dict[str, np.ndarray] = {}
    if len(test.label_N) == 0:
        return Outcomes(test.item_ids, test.group_N, value_of, {})
    for name, one in test.directions.items():
        if not one.answerable.any():
            continue
        # One column per figure and one row per item: `huse compare` pairs runs by it, and the
        # bootstrap draws rows.
        columns = dict(zip((f"r_at_{k}" for k in test.k), one.hit_MC.T, strict=True))
        columns["map_at_r"] = one.average_precision_M
        for figure, value_M in columns.items():
            value_of[f"retrieval.{name}.{figure}"] = _of_items(value_M, one, len(test.label_N))
        for k, value_M in zip(test.hp_k, one.precision_MC.T, strict=True):
            value_of[f"hierarchy.{name}.hp_at_{k}"] = _of_items(value_M, one, len(test.label_N))
    for modality in test.embedded:
        for figure, value_N in _judged(test, modality).items():
            value_of[f"classification.{modality}.{figure}"] = value_N
    for modality, right_N in test.baseline_right.items():
        if not np.isnan(right_N).all():
            value_of[f"baseline.{modality}.accuracy"] = right_N
    if test.decisions is not None:
        for figure, value_M in filing_outcomes(test.decisions).items():
            value_of[figure] = np.full(len(test.label_N), np.nan)
            value_of[figure][test.queries.numpy()] = value_M
    return Outcomes(test.item_ids, test.group_N, value_of, _headline(test, list(value_of)))


def metrics_tree(test: Measured, found: Outcomes, adjacency_KK: np.ndarray) -> Tree:
    """Figures to compare runs by, in the order in which `dvc exp show` has its columns.

    The first are one number each for the whole: means of the paper's four directions, and the
    accuracy from both modalities (from the one there is, if there is one). Intervals are pairs in
    lists, which DVC's tables pass over.

    Returns:
        `retrieval.<direction>.r_at_<k>`, `hierarchy.<direction>.hp_at_<k>`,
        `classification.<modality>.accuracy` (of the whole class path; where items have several
        labels, `top3_share` is beside it), `filing.<modality>.share`,
        `.right` and `.precision`, `intervals` with the same names below it, and more.
        A figure that does not exist is left out.
    """
    items = {"items": len(test.label_N), "classes": len(test.label_N.unique())}
    if not found.value_of:
        return {"test": items}
    tree: Tree = {}
    for name, value in found.figures().items():
        _put(tree, name, value)
    for name in tree.get("retrieval", {}):
        one = test.directions[name]
        tree["retrieval"][name]["chance_r_at_1"] = float(one.chance_M[one.answerable].mean())
    for one in tree.get("filing", {}).values():
        if one["share"]:
            one["precision"] = one["right"] / one["share"]
    # The baseline is no figure of the run: it stands in details.json.
    tree.pop("baseline", None)
    tree["graph_correlation"] = _correlations(test, adjacency_KK)
    tree["test"] = items
    tree["intervals"] = {}
    for name, ends in found.intervals().items():
        _put(tree["intervals"], name, list(ends))
    tree["intervals"].pop("baseline", None)
    return {key: value for key, value in tree.items() if value != {}}


def details_tree(test: Measured, found: Outcomes, train_label_N: np.ndarray) -> Tree:
    """Figures for a closer look, too many for a table that compares runs; nested."""
    label_N = test.label_N.cpu().numpy()
    support = class_support(train_label_N, label_N)
    tree: Tree = {
        "test": {
            "items": len(label_N),
            "queries": len(test.queries),
            "classes": len(support.tested),
            "classes_only_in_test": len(support.unseen),
            "classes_with_one_item": len(support.single),
        },
        "retrieval": {
            name: {
                "queries": int(one.answerable.sum()),
                "unanswerable_queries": int((~one.answerable).sum()),
            }
            for name, one in test.directions.items()
        },
        "instance": _instance(test),
        "graded_hierarchy": {
            name: _graded(one) for name, one in test.directions.items() if one.answerable.any()
        },
    }
    if found.value_of:
        tree["classification"] = {
            modality: _classification(one, label_N, test.class_parts)
            for modality, one in test.embedded.items()
            if one.has_N.any()
        }
        tree["mistakes"] = mistakes_tree(
            test.embedded, label_N, test.group_N, test.class_parts, test.baseline_predicted
        )
    if test.decisions is not None:
        tree["decisions"] = decisions_tree(test.decisions)
    if test.directions:
        tree["whole_tree_share"] = {
            f"hp_at_{k}": share for k, share in test.whole_tree_share.items()
        }
        tree["paper_rule"] = paper_rule(
            test.embedded,
            test.label_N,
            test.class_parts,
            k=test.k,
            hp_k=test.hp_k,
            queries=test.queries,
        )
    return {key: value for key, value in tree.items() if value != {}}


def _headline(test: Measured, names: list[str]) -> dict[str, list[str]]:
    """Figures that stand for the whole: of what each is the mean."""
    parts = {
        f"r_at_{test.k[0]}": ("retrieval", f"r_at_{test.k[0]}"),
        "map_at_r": ("retrieval", "map_at_r"),
    }
    # Of the K whose correct sets are seldom the whole tree, the largest looks farthest.
    telling = [k for k, share in test.whole_tree_share.items() if share <= WHOLE_TREE_AT_MOST]
    if telling:
        parts[f"hp_at_{max(telling)}"] = ("hierarchy", f"hp_at_{max(telling)}")
    means = {
        headline: [
            name
            for direction in PAPER_DIRECTIONS
            if (name := f"{section}.{direction}.{figure}") in names
        ]
        for headline, (section, figure) in parts.items()
    }
    # From both modalities, or from the one that there is.
    last = list(test.embedded)[-1]
    means |= {figure: [f"classification.{last}.{figure}"] for figure in _judged(test, last)}
    return {headline: some for headline, some in means.items() if some}


def _put(tree: Tree, name: str, value: Any) -> None:
    """Place a leaf by its dotted name."""
    *sections, leaf = name.split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
    tree[leaf] = value


def _of_items(value_M: np.ndarray, one: Direction, items: int) -> np.ndarray:
    """[N] values of the queries that can be answered, NaN for all other items."""
    value_N = np.full(items, np.nan)
    value_N[one.query_M[one.answerable]] = value_M[one.answerable]
    return value_N


def _judged(test: Measured, modality: str) -> dict[str, np.ndarray]:
    """How well each item was classified, by the name of the figure that is the mean.

    NaN for an item that lacks the modality.
    """
    one = test.embedded[modality]
    has_N = one.has_N.cpu().numpy()
    if not has_N.any():
        return {}
    judged = {"accuracy": (one.predicted_N == test.label_N).cpu().numpy()}
    if one.shared_N is not None:
        judged[f"top{SHARED_TOP}_share"] = one.shared_N.cpu().numpy()
    return {figure: np.where(has_N, value_N, np.nan) for figure, value_N in judged.items()}


def _correlations(test: Measured, adjacency_KK: np.ndarray) -> Tree:
    found = {
        modality: graph_correlation(
            one.embedding_ND[one.has_N], test.label_N[one.has_N], adjacency_KK
        ).rho
        for modality, one in test.embedded.items()
    }
    return {modality: rho for modality, rho in found.items() if rho is not None}


def _instance(test: Measured) -> Tree:
    """Whether an item's own picture comes back for its text, and the reverse, if it has both."""
    tree: Tree = {}
    for name, (query, gallery) in DIRECTIONS.items():
        if query == gallery or not {query, gallery} <= set(test.embedded):
            continue
        asked, sought = test.embedded[query], test.embedded[gallery]
        query_M = test.queries[(asked.has_N & sought.has_N)[test.queries]]
        if not len(query_M):
            continue
        place_N = sought.has_N.cumsum(0) - 1  # among those that may be found
        found_M = instance_rank(
            asked.embedding_ND[query_M], sought.embedding_ND[sought.has_N], place_N[query_M]
        )
        rank_M = found_M.cpu().numpy()
        shares = {f"r_at_{k}": float((rank_M <= k).mean()) for k in (1, 5, 10)}
        tree[name] = {**shares, "median_rank": float(np.median(rank_M))}
    return tree


def _graded(one: Direction) -> Tree:
    rows = torch.from_numpy(one.answerable).to(one.graded.area_M.device)
    precision_C = one.graded.at_MC[rows].mean(dim=0).tolist()
    return {
        **{f"hp_at_{k}": value for k, value in zip(GRADED_K, precision_C, strict=True)},
        f"ahp_at_{AREA_TO}": float(one.graded.area_M[rows].mean()),
        f"hap_at_{AREA_TO}": float(one.graded_average_precision_M[one.answerable].mean()),
    }


def _classification(
    one: Predicted, label_N: np.ndarray, class_parts: Sequence[Sequence[str]]
) -> Tree:
    has_N = one.has_N.cpu().numpy()
    label_N, predicted_N = label_N[has_N], one.predicted_N.cpu().numpy()[has_N]
    levels = accuracy_by_level(label_N, predicted_N, class_parts)
    return {
        f"top_{TOP}": float(one.in_top_N[one.has_N].double().mean()),
        "macro_f1": macro_f1(label_N, predicted_N),
        **{f"level_{level.level}_accuracy": level.accuracy for level in levels},
    }
