"""Is a trained model better than one line of scikit-learn? `python -m benchmarks.catalogs`.

Trains on catalogues of unlike kind and size, each with several splits, and compares with logistic
regression on the same features and with separate models, item by item.
"""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.catalogs.cell import FEW, measure_accuracy, run_cells
from benchmarks.catalogs.raw import SOURCES
from benchmarks.harness import environment, write_results
from pipeline.core.json_file import read_json
from pipeline.metrics.bootstrap import interval_ends, resampled_means
from stages.command import run

RESULTS = Path("benchmarks/results/catalogs")
VARIANTS: dict[str, dict[str, Any]] = {
    "huse": {},
    "separate": {"loss.objective": "separate"},
    # What was shipped before: the paper's depth, no regularisation but dropout of hidden units.
    "plain": {
        "model.image_layers": 5,
        "model.input_dropout": 0.0,
        "model.residual": False,
        "loss.names": 0.0,
        "loss.delta": 0.0,
        "train.steps": 500,
        "train.validate_every": 25,
    },
    "adjusted": {"loss.logit_adjustment": 1.0},
}
COLUMNS = {
    "catalog": "catalogue",
    "seeds": "splits",
    "train": "training items",
    "classes": "classes",
    "tested": "tested",
    "baseline": "logistic regression",
    "huse": "fused",
    "over_baseline": "less logistic regression",
    "over_best": "less best modality",
    "over_separate": "less separate models",
    "plain": "plain recipe, fused",
    "recall": "mean R@K",
    "plain_recall": "plain, mean R@K",
    "hierarchy": "mean HP@K",
    "plain_hierarchy": "plain, mean HP@K",
    "macro": "mean over classes",
    "baseline_macro": "regression, mean over classes",
    "rare": "rare classes",
    "baseline_rare": "regression, rare classes",
    "adjusted": "adjusted, fused",
    "adjusted_macro": "adjusted, mean over classes",
    "adjusted_rare": "adjusted, rare classes",
}


def main(
    catalog: Annotated[
        list[str] | None, typer.Option(help=f"Of {', '.join(SOURCES)}; all if none is named.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Splits of each, from seed 0.")] = 5,
    folder: Annotated[Path, typer.Option(help="Where everything is made; 3 GB.")] = Path(
        "data/catalogs"
    ),
    params: Annotated[Path, typer.Option(help="The parameters to measure.")] = Path("params.yaml"),
    only: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(VARIANTS)}.")] = None,
    table: Annotated[bool, typer.Option(help="Write the table of what is measured.")] = True,
) -> None:
    """Measure every catalogue, split and variant that is not measured yet, and write the table."""
    params, folder = params.resolve(), folder.resolve()
    names = catalog or list(SOURCES)
    chosen = {name: VARIANTS[name] for name in only or VARIANTS}
    for name in names:
        for seed in range(seeds):
            run_cells(name, seed, chosen, folder, params, cells="cells", measure=measure_accuracy)
    if table:
        write_table(folder / "cells", names, seeds)


def write_table(cells: Path, names: Sequence[str], seeds: int) -> None:
    """Write what was measured as JSON and Markdown; a variant that was not has no figures."""
    measured = [name for name in names if any(cells.glob(f"{name}-[0-9]*-huse.json"))]
    rows = [_row(cells, name, seeds) for name in measured]
    write_results(
        RESULTS,
        title="Fused accuracy beside logistic regression on the same features",
        notes=[
            "`python -m benchmarks.catalogs`; all with the shipped params.yaml",
            *(f"{name}: {source.about}" for name, source in SOURCES.items() if name in names),
            "every seed has a split (and a cut) of its own; accuracies are means over all tested "
            "items of all seeds",
            "differences with 95 % intervals: items are paired, groups of variants are drawn "
            "together over all seeds (cluster bootstrap, 1,000 draws)",
            "separate models: objective `separate` with the same towers; best modality: the better "
            "of the model's own image and text prediction",
            "plain: 5 layers, no dropout of inputs, no class names, no contrast, 500 steps; "
            "adjusted: loss.logit_adjustment=1",
            f"rare classes: of at most {FEW} training items, accuracy over their items",
            "R@K over K = 1, 5, 10 and HP@K over K = 2, 5, 10, means over four directions",
        ],
        columns={
            key: heading
            for key, heading in COLUMNS.items()
            if any(row[key] is not None for row in rows)
        },
        rows=rows,
        environment=environment(),
    )


def _row(cells: Path, name: str, seeds: int) -> dict[str, Any]:
    paths = {
        variant: [cells / f"{name}-{seed}-{variant}.json" for seed in range(seeds)]
        for variant in VARIANTS
    }
    done = [seed for seed in range(seeds) if paths["huse"][seed].exists()]
    by = {
        variant: [read_json(files[seed]) for seed in done]
        for variant, files in paths.items()
        if all(files[seed].exists() for seed in done)
    }
    ours = by["huse"]
    item_M = np.concatenate([one["items"] for one in ours])
    fused_M, logistic_M = _right(ours, "right", "fused"), _right(ours, "baseline", "fused")
    best_M = max((_right(ours, "right", modality) for modality in ("image", "text")), key=np.mean)
    row: dict[str, Any] = dict.fromkeys(COLUMNS) | {
        "catalog": name,
        "seeds": len(done),
        "train": round(statistics.mean(one["train"] for one in ours)),
        "classes": round(statistics.mean(one["classes"] for one in ours)),
        "tested": len(item_M),
        "baseline": float(logistic_M.mean()),
        "baseline_macro": _macro(ours, "baseline"),
        "baseline_rare": _rare(ours, "baseline"),
        "over_baseline": paired_difference(fused_M, logistic_M, item_M),
        "over_best": paired_difference(fused_M, best_M, item_M),
    }
    if "separate" in by:
        separate_M = _right(by["separate"], "right", "fused")
        row["over_separate"] = paired_difference(fused_M, separate_M, item_M)
    for variant, runs in by.items():
        prefix = "" if variant == "huse" else f"{variant}_"
        row |= {
            variant: float(_right(runs, "right", "fused").mean()),
            f"{prefix}macro": _macro(runs, "right"),
            f"{prefix}rare": _rare(runs, "right"),
            f"{prefix}recall": statistics.mean(one["recall"] for one in runs),
            f"{prefix}hierarchy": statistics.mean(one["hierarchy"] for one in runs),
        }
    return row


def _right(runs: list[dict[str, Any]], who: str, modality: str) -> np.ndarray:
    return np.concatenate([one[who][modality] for one in runs])


def _macro(runs: list[dict[str, Any]], who: str) -> float:
    """Mean over classes of the accuracy of their items, then over seeds."""
    means = []
    for one in runs:
        label_N, right_N = np.array(one["label"]), np.array(one[who]["fused"])
        means.append(np.mean([right_N[label_N == label].mean() for label in np.unique(label_N)]))
    return float(np.mean(means))


def _rare(runs: list[dict[str, Any]], who: str) -> float | None:
    right_M = _right(runs, who, "fused")
    rare_M = np.concatenate([one["rare"] for one in runs]).astype(bool)
    return float(right_M[rare_M].mean()) if rare_M.any() else None


def paired_difference(one_M: np.ndarray, other_M: np.ndarray, item_M: np.ndarray) -> str:
    """Mean paired difference of two [M] with its interval, by [M] names of groups."""
    value_M1 = (one_M - other_M)[:, None].astype(float)
    number_M = np.unique(item_M, return_inverse=True)[1]
    low, high = interval_ends(resampled_means(value_M1, number_M, seed=0))[0]
    return f"{value_M1.mean():+.3f} ({low:+.3f} to {high:+.3f})"


if __name__ == "__main__":
    run(main)
