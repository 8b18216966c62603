"""The paper's Tables 1, 2 and 3 from all measurements."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from pipeline.core.atomic import atomic_path
from pipeline.core.json_file import read_json, write_json

NAMES = {
    "triplet": "Triplet",
    "cme": "CME",
    "adamine": "AdaMine",
    "devise": "DeViSE*",
    "hie": "HIE*",
    "huse_p": "HUSE-P",
    "huse": "**HUSE**",
    "hier_cos": "Hier-COS",
    "supcon_path": "contrast over paths",
    "separate": "separate models",
}
DIRECTIONS = ("image_to_image", "image_to_text", "text_to_image", "text_to_text")
RULE = "without the query's own product, the same picture and the same text"
PAPER_RULE = "by the paper's rule: the query alone is left out"
TABLES = {
    "recall": (f"Table 1: R@1 / 5 / 10, {RULE}", DIRECTIONS),
    "recall_paper_rule": (f"Table 1: R@1 / 5 / 10, {PAPER_RULE}", DIRECTIONS),
    "hierarchy": (f"Table 2: HP@2 / 5 / 10, {RULE}", DIRECTIONS),
    "hierarchy_paper_rule": (f"Table 2: HP@2 / 5 / 10, {PAPER_RULE}", DIRECTIONS),
    "accuracy": ("Table 3: accuracy", ("image", "text", "fused")),
    "severity": (
        "Mistake severity: mean height of the lowest common ancestor, over the mistakes",
        ("image", "text", "fused"),
    ),
    "tree_distance": (
        "Mean height of the lowest common ancestor, over all items",
        ("image", "text", "fused"),
    ),
}
OF_CLASSES = ("accuracy", "severity", "tree_distance")
"""Of TABLES those that logistic regression has too: it finds nothing, but classifies."""
LESS_IS_BETTER = ("severity", "tree_distance")
"""Of TABLES."""


RELAXATIONS = ("none", "paper", "hinge")
FIGURES = ("recall", "hierarchy", "accuracy_fused", "score")


def main(
    runs: Annotated[Path, typer.Option(help="Folder of the measurements.")],
    out: Annotated[Path, typer.Option(help="Folder to write tables.md and tables.json to.")],
) -> None:
    """Write mean and standard deviation over the seeds."""
    results = {name: _summary(runs / "measured", name) for name in NAMES}
    regression = read_json(runs / "regression.json")
    searched = {name: read_json(runs / "tuned" / f"{name}.json") for name in NAMES}
    tuned = {name: search["best"] for name, search in searched.items()}
    tried = {name: len(search["tried"]) for name, search in searched.items()}
    relaxations = {name: _validation(runs / "relaxation", name) for name in RELAXATIONS}
    standing = {table: _standing(results, table, columns) for table, (_, columns) in TABLES.items()}
    write_json(
        out / "tables.json",
        {
            "results": results,
            "logistic_regression": {table: regression[table] for table in OF_CLASSES},
            "settings": tuned,
            "settings_tried": tried,
            "huse_first_or_within_spread": standing,
            "relaxations_on_validation": relaxations,
        },
    )
    lines = []
    for table, (title, columns) in TABLES.items():
        lines += [f"### {title}", "", _row("", [column.replace("_", " ") for column in columns])]
        lines.append("|---" * (len(columns) + 1) + "|")
        for name, label in NAMES.items():
            cells = [_cell(results[name][table][column]) for column in columns]
            lines.append(_row(label, cells))
        if table in OF_CLASSES:
            cells = [f"{regression[table][column]:.3f}" for column in columns]
            lines.append(_row("logistic regression", cells))
        first, total = standing[table]["columns"], standing[table]["of"]
        lines += [
            "",
            f"HUSE is first, or within the spread of the first, in {first} of {total}.",
            "",
        ]
    lines += ["### HUSE by relaxation of the graph loss, on validation", ""]
    lines += [_row("", [figure.replace("_", " ") for figure in FIGURES])]
    lines.append("|---" * (len(FIGURES) + 1) + "|")
    for name, figures in relaxations.items():
        lines.append(_row(name, [_cell(figures[figure]) for figure in FIGURES]))
    lines += [
        "",
        "### Settings chosen on validation",
        "",
        _row("objective", ["tried", "setting"]),
        "|---|---|---|",
    ]
    lines += [_row(label, [str(tried[name]), str(tuned[name])]) for name, label in NAMES.items()]
    with atomic_path(out / "tables.md") as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _summary(folder: Path, name: str) -> dict[str, Any]:
    """Mean and standard deviation over the seeds, per table and column."""
    seeds = [read_json(path) for path in sorted(folder.glob(f"{name}-*.json"))]
    summary: dict[str, Any] = {}
    for table, (_, columns) in TABLES.items():
        summary[table] = {}
        for column in columns:
            summary[table][column] = _spread(
                [np.atleast_1d(seed[table][column]).tolist() for seed in seeds]
            )
    return summary


def _validation(folder: Path, name: str) -> dict[str, Any]:
    """Mean and standard deviation over the seeds of one relaxation, per figure."""
    seeds = [read_json(path) for path in sorted(folder.glob(f"{name}-*.json"))]
    return {figure: _spread([[seed[figure]] for seed in seeds]) for figure in FIGURES}


def _spread(values_SC: list[list[float]]) -> dict[str, Any]:
    """Mean and sample deviation over seeds (rows) of each column."""
    return {
        "mean": np.mean(values_SC, axis=0).tolist(),
        "deviation": np.std(values_SC, axis=0, ddof=1).tolist(),
        "seeds": len(values_SC),
    }


def _standing(results: dict[str, Any], table: str, columns: tuple[str, ...]) -> dict[str, int]:
    """In how many columns HUSE is first, or no farther from it than the larger deviation."""
    good = total = 0
    for column in columns:
        for position, mean in enumerate(results["huse"][table][column]["mean"]):
            choose = min if table in LESS_IS_BETTER else max
            best = choose(results, key=lambda name: results[name][table][column]["mean"][position])
            spread = max(
                results[name][table][column]["deviation"][position] for name in ("huse", best)
            )
            good += abs(results[best][table][column]["mean"][position] - mean) <= spread
            total += 1
    return {"columns": int(good), "of": total}


def _cell(value: dict[str, Any]) -> str:
    pairs = zip(value["mean"], value["deviation"], strict=True)
    return " / ".join(f"{mean:.3f} ± {deviation:.3f}" for mean, deviation in pairs)


def _row(label: str, cells: list[str]) -> str:
    return f"| {label} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    typer.run(main)
