"""Which rule decides best, and do thresholds keep their word? `python -m benchmarks.decisions`.

Trains on the catalogues of `benchmarks.catalogs`, several splits of each, and asks test items.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.catalogs.__main__ import paired_difference
from benchmarks.catalogs.cell import TABLES, name_groups, run_cells
from benchmarks.catalogs.raw import SOURCES
from benchmarks.harness import environment, write_results
from pipeline.core.json_file import read_json
from pipeline.decide.settings import ClassifySettings
from pipeline.evaluate.decisions import RULES, Decisions, filed_and_right, measure_decisions
from pipeline.evaluate.evaluation_items import index_items
from pipeline.metrics.bootstrap import interval_ends, resampled_means
from pipeline.model.model_file import load_model
from pipeline.model.validation_file import read_validation
from stages.command import run

RESULTS = Path("benchmarks/results/decisions")
PRECISIONS = (0.9, 0.95, 0.98)
CONFIDENCE = 0.95
BETA = 1.0
COLUMNS = {
    "catalog": "catalogue",
    "splits": "splits",
    "tested": "tested",
    "accuracy": "accuracy",
    "off": "edges off, mistakes",
    "distance": "edges off, all",
    "least_cost_accuracy": "least_cost, accuracy less probable",
    "least_cost_distance": "least_cost, distance less probable",
    "hf_beta_accuracy": "hf_beta, accuracy less probable",
    "hf_beta_distance": "hf_beta, distance less probable",
    **{
        f"{kind}_{precision}": f"{heading} at {precision}"
        for precision in PRECISIONS
        for kind, heading in (
            ("filed", "filed"),
            ("right", "right of them"),
            ("missed", "levels missed"),
        )
    },
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
) -> None:
    """Measure every catalogue and split that is not measured yet, and write the table."""
    params, folder = params.resolve(), folder.resolve()
    names = catalog or list(SOURCES)
    for seed in range(seeds):
        for name in names:
            run_cells(name, seed, {"huse": {}}, folder, params, cells="decisions", measure=measure)
            write_table(folder / "decisions", names)


def measure() -> dict[str, Any]:
    """What is decided on the test items of the project in this folder, from both modalities."""
    stored = load_model(Path("data/model"))
    items = index_items(**TABLES)
    validation = read_validation(Path("data/model"), stored.digest())
    result: dict[str, Any] = {"items": name_groups(items.table["item_id"].iloc[items.test])}
    for precision in PRECISIONS:
        settings = ClassifySettings(
            precision=precision, confidence=CONFIDENCE, decide="probable", beta=BETA
        )
        found = measure_decisions(stored, items, items.test, validation, settings)
        level_M, right_M = filed_and_right(found, "fused")
        result[str(precision)] = {"level": level_M.tolist(), "right": right_M.tolist()}
    return result | _rules(found)


def _rules(found: Decisions) -> dict[str, Any]:
    tree, label_M = found.tree, found.label_M
    distance = {}
    for rule, node_M in zip(RULES, found.answers["fused"].node_MR.T, strict=True):
        distance[rule] = tree.distance(node_M, label_M).tolist()
    return {"distance": distance}


def write_table(cells: Path, names: Sequence[str]) -> None:
    """Write what was measured as JSON and Markdown."""
    rows = []
    for name in names:
        runs = [read_json(path) for path in sorted(cells.glob(f"{name}-[0-9]*-huse.json"))]
        if runs:
            rows.append(_row(name, runs))
    write_results(
        RESULTS,
        title="What may run unattended, and what a rule costs",
        notes=[
            "`python -m benchmarks.decisions`; the catalogues of `python -m benchmarks.catalogs`, "
            "all with the shipped params.yaml, test items, both modalities",
            "edges off: mean edges of the class tree between the most probable class and the true "
            "one, over the mistakes and over all items",
            "differences with 95 % intervals: items are paired, groups of variants are drawn "
            "together over all splits (cluster bootstrap, 1,000 draws); an answer above the class "
            "is not accurate, and as many edges off as it is above",
            f"filed at a precision: share of the items that thresholds from validation items let "
            f"through (confidence {CONFIDENCE}), and how many of these are filed rightly, with the "
            "interval of the same bootstrap",
            "levels missed: of the levels of the tree in all splits at which anything was filed, "
            "those at which fewer test items than wanted are right; an item's luck included",
        ],
        columns=COLUMNS,
        rows=rows,
        environment=environment(),
    )


def _row(name: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    item_M = np.concatenate([run["items"] for run in runs])
    distance = {
        rule: np.concatenate([run["distance"][rule] for run in runs]).astype(float)
        for rule in RULES
    }
    right = {rule: (distance_M == 0).astype(float) for rule, distance_M in distance.items()}
    usual_M = distance["probable"]
    row: dict[str, Any] = {
        "catalog": name,
        "splits": len(runs),
        "tested": len(item_M),
        "accuracy": float(right["probable"].mean()),
        "off": float(usual_M[usual_M > 0].mean()),
        "distance": float(usual_M.mean()),
    }
    for rule in RULES[1:]:
        row[f"{rule}_accuracy"] = paired_difference(right[rule], right["probable"], item_M)
        row[f"{rule}_distance"] = paired_difference(distance[rule], usual_M, item_M)
    for precision in PRECISIONS:
        level_M, right_M = (
            np.concatenate([run[str(precision)][key] for run in runs]) for key in ("level", "right")
        )
        row[f"filed_{precision}"] = float((level_M > 0).mean())
        row[f"right_{precision}"] = _share(right_M[level_M > 0], item_M[level_M > 0])
        row[f"missed_{precision}"] = _missed(runs, precision)
    return row


def _share(right_M: np.ndarray, item_M: np.ndarray) -> str | None:
    if not len(right_M):
        return None
    number_M = np.unique(item_M, return_inverse=True)[1]
    means = resampled_means(right_M[:, None].astype(float), number_M, seed=0)
    low, high = interval_ends(means)[0]
    return f"{right_M.mean():.3f} ({low:.3f} to {high:.3f})"


def _missed(runs: list[dict[str, Any]], precision: float) -> str:
    filed = missed = 0
    for one in runs:
        level_M, right_M = (np.array(one[str(precision)][key]) for key in ("level", "right"))
        for level in np.unique(level_M[level_M > 0]):
            filed += 1
            missed += right_M[level_M == level].mean() < precision
    return f"{missed} of {filed}"


if __name__ == "__main__":
    run(main)
