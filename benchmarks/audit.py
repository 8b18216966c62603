"""Are misfiled items found? `python -m benchmarks.audit --project FOLDER`, once per catalogue.

Moves some labels of a finished project's items and asks for them back: half of them to siblings,
half anywhere, each class equally likely. The list of `pipeline/audit/suspects.py` is compared with
the out-of-fold probability of the given class alone, with cleanlab on the same probabilities
(Northcutt et al. 2021; it knows no hierarchy), and with chance. Needs cleanlab, which the extra
`dev` has.

Shape letters: N items, K classes, R rows (an item of a seed), C figures.
"""

import statistics
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import torch
import typer
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

from benchmarks.finished_project import index_project
from benchmarks.harness import environment, write_results
from pipeline.audit.out_of_fold import OutOfFoldProbes
from pipeline.audit.settings import ItemsSettings
from pipeline.audit.suspects import fit_probes, score_items
from pipeline.audit.tree import Tree
from pipeline.core.json_file import read_json
from pipeline.features.classes import item_classes
from pipeline.features.joined import FeatureIndex
from pipeline.metrics.bootstrap import interval_ends, resampled_means
from stages.paths import CLASSES

SETTINGS = ItemsSettings(
    folds=5, fit_items=100_000, threshold=0.5, least=0, most=1000, evidence=0, seed=1000
)
SCENES = ((0.03, 0.5), (0.1, 0.5), (0.03, 1.0), (0.03, 0.0))
"""Share of the labels that are moved, and share of these that go to siblings."""
OURS, ALONE, CLEANLAB, CHANCE = "audit", "probability alone", "cleanlab, flat", "chance"
METHODS = (OURS, ALONE, CLEANLAB, CHANCE)
BINS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Between which probabilities are compared with what is true."""
DRAWS = 1000
FIGURES = ("precision", "gain", "least", "listed", "list_precision", "list_recall", "right")
"""Of a method; None where it has none."""


class Found(NamedTuple):
    """What one method says."""

    order_N: np.ndarray
    """Positions, most suspicious first; items that are not judged are missing."""
    listed_N: np.ndarray
    """[N] bool: on the list that the method makes by itself."""


class Trial(NamedTuple):
    """One seed of a scene."""

    moved_N: np.ndarray
    """[N] bool."""
    found: dict[str, Found]
    misfiled_N: np.ndarray
    """[N] probabilities of the audit; NaN where it does not judge."""
    right_N: np.ndarray
    """[N] bool: the class that the audit suggests is the one before the move."""
    share: float
    """Of misfiled items, as the audit estimates it."""


def main(
    project: Annotated[list[Path], typer.Option(help="Folder of a finished project.")],
    seeds: Annotated[int, typer.Option(min=2, help="Moves of each kind, from seed 0.")] = 5,
    out: Annotated[Path, typer.Option(help="Results, without suffix.")] = Path(
        "benchmarks/results/audit"
    ),
) -> None:
    """Measure every project and scene, and write the table."""
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    notes = []
    for folder in project:
        index, classes = _read(folder)
        notes.append(f"{folder.name}: {len(index)} items, {len(item_classes(classes))} classes")
        for share, near in SCENES:
            trials = [_trial(index, classes, share, near, seed) for seed in range(seeds)]
            scene = {"catalog": folder.name, "moved": share, "siblings": near}
            rows += [scene | row for row in _rows(trials, index.shared_N3[:, 0])]
            if (share, near) == SCENES[0]:
                notes += [f"{folder.name}: {note}" for note in _reliability(trials)]
            print(*(list(row.values()) for row in rows[-len(METHODS) :]), sep="\n", flush=True)
    write_results(
        out,
        title="Misfiled items, found again",
        notes=[
            "`python -m benchmarks.audit --project FOLDER`; labels moved at random, "
            f"{seeds} seeds, means over them",
            "precision: of the first n of a method's list, n the number of moved labels; as many "
            "are missed, so it is the recall of these too. The catalogues have wrong labels of "
            "their own, which count as errors here: the precision is a lower bound",
            "intervals: 95 %, products drawn with replacement over all seeds together (cluster "
            "bootstrap, 1,000 draws); less the method: the audit's precision less the method's, "
            "paired by item; least: of the seeds",
            "list: what a method lists by itself: probability of being misfiled, or one less that "
            f"of the given class, at least {SETTINGS.threshold}; find_label_issues for cleanlab",
            "cleanlab: filter_by both, ranked by self_confidence, which is its best setting here",
            "probability alone, cleanlab: on the audit's own calibrated out-of-fold probabilities "
            "of both modalities together",
            "right class: of the moved items among the first n, those for which the class before "
            "the move is suggested",
            *notes,
        ],
        columns={
            "catalog": "catalogue",
            "moved": "moved",
            "siblings": "to siblings",
            "method": "method",
            "precision": "precision at n",
            "gain": "audit less the method",
            "least": "least",
            "listed": "listed",
            "list_precision": "precision of the list",
            "list_recall": "recall of the list",
            "right": "right class",
        },
        rows=rows,
        environment=environment(),
    )


def move_labels(
    label_N: np.ndarray, parts_K: list[list[str]], share: float, near: float, seed: int
) -> np.ndarray:
    """Give some items another class: [N] labels.

    Siblings are the other classes of the same parent; for a class without, those nearest in the
    tree.
    """
    generator = np.random.default_rng(seed)
    moved_N = label_N.copy()
    chosen = generator.permutation(len(label_N))[: round(share * len(label_N))]
    nearest: dict[int, list[int]] = {}
    for rank, n in enumerate(chosen):
        label = int(label_N[n])
        others = [other for other in range(len(parts_K)) if other != label]
        if rank < near * len(chosen):
            if label not in nearest:
                edges = {other: _edges(parts_K[label], parts_K[other]) for other in others}
                least = min(edges.values())
                nearest[label] = [other for other in others if edges[other] == least]
            others = nearest[label]
        moved_N[n] = generator.choice(others)
    return moved_N


def _edges(one: list[str], other: list[str]) -> int:
    common = 0
    while common < min(len(one), len(other)) and one[common] == other[common]:
        common += 1
    return len(one) + len(other) - 2 * common


def _read(folder: Path) -> tuple[FeatureIndex, Mapping[str, Any]]:
    index = index_project(folder)
    return index, read_json(folder / CLASSES)


def _trial(
    index: FeatureIndex, classes: Mapping[str, Any], share: float, near: float, seed: int
) -> Trial:
    """Move labels, and let every method look for them."""
    parts_K = [entry["parts"] for entry in item_classes(classes)]
    label_N = move_labels(index.label_N, parts_K, share, near, seed)
    given = replace(index, label_N=label_N)
    tree = Tree(classes)
    probes = fit_probes(given, tree, SETTINGS)
    scores = score_items(given, tree, probes, seed=SETTINGS.seed)
    flat = _cleanlab(probes, label_N, len(tree))
    # Another generator than that of the moves, which are the first of a permutation too.
    chance_N = np.random.default_rng([seed, 1]).permutation(len(label_N))
    found = {
        OURS: Found(scores.order_N, scores.misfiled_N >= SETTINGS.threshold),
        ALONE: Found(
            np.argsort(scores.p_given_N, kind="stable"),
            1 - scores.p_given_N >= SETTINGS.threshold,
        ),
        CLEANLAB: flat,
        CHANCE: Found(chance_N, np.zeros(len(label_N), dtype=bool)),
    }
    right_N = scores.suggested_N == index.label_N
    return Trial(label_N != index.label_N, found, scores.misfiled_N, right_N, scores.share)


def _cleanlab(probes: OutOfFoldProbes, label_N: np.ndarray, num_classes: int) -> Found:
    """Items that cleanlab lists come first, and then the others, by its score in both.

    Of its five scores and three filters those that find most on both catalogues.
    """
    asked_NK = np.tile(np.arange(num_classes), (len(label_N), 1))
    log_p_NK = probes.judge(asked_NK).fused.log_p_NA[:, :num_classes]
    p_NK = np.exp(log_p_NK.astype(np.float64))
    p_NK /= p_NK.sum(axis=1, keepdims=True)
    with warnings.catch_warnings():  # it warns of every class of few items
        warnings.simplefilter("ignore", UserWarning)
        listed_N = find_label_issues(label_N, p_NK, filter_by="both", n_jobs=1)
    score_N = get_label_quality_scores(label_N, p_NK, method="self_confidence")
    return Found(np.lexsort((score_N, ~listed_N)), listed_N)


def _rows(trials: list[Trial], product_N: np.ndarray) -> list[dict[str, Any]]:
    """A row per method."""
    values_by_trial = [
        np.concatenate([_figures(trial, method) for method in METHODS], axis=1) for trial in trials
    ]
    value_RC = np.concatenate(values_by_trial)
    mean_C, mean_TC = _means(value_RC), np.stack([_means(value_NC) for value_NC in values_by_trial])
    group_R = np.tile(product_N, len(trials))
    drawn_SC = resampled_means(value_RC, group_R, seed=0, resamples=DRAWS)
    ends_C2 = interval_ends(drawn_SC)
    rows = []
    for place, method in enumerate(METHODS):
        row: dict[str, Any] = {"method": method, **dict.fromkeys(FIGURES)}
        c = 3 * place
        row["precision"] = _with_interval(mean_C[c], ends_C2[c])
        if method == OURS:
            row["right"] = f"{statistics.mean(_suggested_right(trial) for trial in trials):.3f}"
        else:
            ends_12 = interval_ends(drawn_SC[:, :1] - drawn_SC[:, c : c + 1])
            row["gain"] = _with_interval(mean_C[0] - mean_C[c], ends_12[0], "+")
            row["least"] = f"{(mean_TC[:, 0] - mean_TC[:, c]).min():+.3f}"
        if method != CHANCE:
            listed = [int(trial.found[method].listed_N.sum()) for trial in trials]
            row["listed"] = statistics.mean(listed)
            row["list_precision"] = _with_interval(mean_C[c + 1], ends_C2[c + 1])
            row["list_recall"] = _with_interval(mean_C[c + 2], ends_C2[c + 2])
        rows.append(row)
    return rows


def _figures(trial: Trial, method: str) -> np.ndarray:
    """[N, 3] precision at n, precision and recall of the list; NaN for an item not counted."""
    found, moved_N = trial.found[method], trial.moved_N
    return np.stack(
        [
            np.where(_first(trial, method), moved_N, np.nan),
            np.where(found.listed_N, moved_N, np.nan),
            np.where(moved_N, found.listed_N, np.nan),
        ],
        axis=1,
    )


def _first(trial: Trial, method: str) -> np.ndarray:
    """[N] bool: among the first n, as many as were moved."""
    first_N = np.zeros(len(trial.moved_N), dtype=bool)
    first_N[trial.found[method].order_N[: trial.moved_N.sum()]] = True
    return first_N


def _suggested_right(trial: Trial) -> float:
    return float(trial.right_N[_first(trial, OURS) & trial.moved_N].mean())


def _means(value_NC: np.ndarray) -> np.ndarray:
    """[C] means of what is counted; NaN where nothing is."""
    count_C = (~np.isnan(value_NC)).sum(axis=0)
    return np.nansum(value_NC, axis=0) / np.where(count_C > 0, count_C, np.nan)


def _with_interval(value: float, ends_2: np.ndarray, sign: str = "") -> str:
    return f"{value:{sign}.3f} ({ends_2[0]:{sign}.3f} to {ends_2[1]:{sign}.3f})"


def _reliability(trials: list[Trial]) -> list[str]:
    """What share of the items with a probability is moved, over all seeds."""
    misfiled_R = np.concatenate([trial.misfiled_N for trial in trials])
    moved_R = np.concatenate([trial.moved_N for trial in trials])
    judged_R = ~np.isnan(misfiled_R)
    bin_R = np.digitize(misfiled_R, BINS)
    parts = []
    for bin_ in range(len(BINS) + 1):
        in_R = judged_R & (bin_R == bin_)
        if in_R.any():
            said, true = misfiled_R[in_R].mean(), moved_R[in_R].mean()
            parts.append(f"{said:.3f} said, {true:.3f} moved ({in_R.sum()} items)")
    shares = ", ".join(f"{trial.share:.4f}" for trial in trials)
    return [
        f"probability of being misfiled: {'; '.join(parts)}",
        f"estimated share of misfiled items, by seed: {shares}; "
        f"not judged: {(~judged_R).sum()} of {len(judged_R)}",
    ]


if __name__ == "__main__":
    typer.run(main)
