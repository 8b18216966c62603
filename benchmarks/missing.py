"""What items without a picture or without a text are worth: `python -m benchmarks.missing`.

Takes pictures and texts away from items of a finished project, and trains with and without these
items.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import typer
from ruamel.yaml import YAML

from benchmarks.catalogs.__main__ import paired_difference
from benchmarks.catalogs.cell import measure_accuracy
from benchmarks.harness import environment, write_results
from pipeline.core.json_file import read_json, write_json
from pipeline.core.table import read_table, write_table
from pipeline.features.shared import REQUIRE
from stages import train
from stages.command import run
from stages.paths import GRAPH, IMAGE_FEATURES, MODEL, PARAMS, SPLITS, TEXT_FEATURES

RESULTS = Path("benchmarks/results")
SHARES = (0.0, 0.3, 0.6)
"""Of the items of train and val, those that lack something; half of them the picture."""
LINKED = ("catalog/items.parquet", "catalog/groups.parquet", "catalog/classes.json", "baseline")
FEATURES = ("image_encoder", "text_encoder", "class_names.parquet")
FIGURES = ("fused", "image", "text")


def main(
    project: Annotated[Path, typer.Option(help="Finished project; it is not changed.")],
    seeds: Annotated[int, typer.Option(min=1, help="Draws of items, from seed 0.")] = 3,
    folder: Annotated[Path, typer.Option(help="Where everything is made.")] = Path("data/missing"),
    params: Annotated[Path, typer.Option(help="The parameters to train with.")] = PARAMS,
) -> None:
    """Train on every share of incomplete items, with them and without them."""
    project, folder, params = project.resolve(), folder.resolve(), params.resolve()
    rows = []
    for share in SHARES:
        found: dict[str, list[dict[str, Any]]] = {}
        for require in ("any", "both") if share else ("both",):
            found[require] = [
                _measure(project, folder, share, require, seed, params) for seed in range(seeds)
            ]
        rows += _rows(share, found)
    write_results(
        RESULTS / f"missing_{project.name}",
        title="Items without a picture or without a text",
        notes=[
            f"`python -m benchmarks.missing --project ...`, {seeds} draws, each with its own "
            "seed of training; a share of the items of train and val lacks something, half of them "
            "the picture, half the text",
            "any: they are trained on by what they have; both: they are left out",
            "the test items are the same and have both: accuracy by both together, by the picture "
            "and by the text alone, means over all items of all draws; R@K as in catalogs.md",
            "differences with 95 % intervals, paired by item, all draws of one product together",
        ],
        columns={
            "share": "share that lacks something",
            "require": "catalog.require",
            "train": "training items",
            **{name: f"accuracy, {name}" for name in FIGURES},
            "recall": "mean R@K",
            **{f"less_{name}": f"{name} less both" for name in FIGURES},
        },
        rows=rows,
        environment=environment(),
    )


def _rows(share: float, found: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    rows = []
    for require, runs in found.items():
        row = {
            "share": share,
            "require": require,
            "train": round(np.mean([one["train"] for one in runs])),
            **{name: float(_right(runs, name).mean()) for name in FIGURES},
            "recall": float(np.mean([one["recall"] for one in runs])),
        }
        for name in FIGURES:
            row[f"less_{name}"] = ""
            if require == "any":
                row[f"less_{name}"] = paired_difference(
                    _right(runs, name),
                    _right(found["both"], name),
                    np.concatenate([one["items"] for one in runs]),
                )
        rows.append(row)
    return rows


def _right(runs: Sequence[dict[str, Any]], modality: str) -> np.ndarray:
    return np.concatenate([one["right"][modality] for one in runs])


def _measure(
    project: Path, folder: Path, share: float, require: str, seed: int, params: Path
) -> dict[str, Any]:
    place = folder / f"{project.name}-{share}-{require}-{seed}"
    result = place / "result.json"
    if not result.is_file():
        take_away(project, place, share, require, seed)
        yaml = YAML()
        values = yaml.load(params)
        values["train"]["seed"] = seed
        with (place / PARAMS).open("w", encoding="utf-8") as stream:
            yaml.dump(values, stream)
        before = Path.cwd()
        os.chdir(place)
        try:
            train.main()
            write_json(result, measure_accuracy())
        finally:
            os.chdir(before)
            shutil.rmtree(place / MODEL, ignore_errors=True)
    return read_json(result)


def take_away(project: Path, place: Path, share: float, require: str, seed: int) -> None:
    """Make a project whose items of train and val lack features, from one that has all.

    The frozen features are as before: the text encoder has weighted its words with all texts.
    """
    (place / "data/catalog").mkdir(parents=True, exist_ok=True)
    (place / "data/features").mkdir(exist_ok=True)
    for linked in (*LINKED, *(f"features/{name}" for name in FEATURES), GRAPH.name):
        if not (place / "data" / linked).is_symlink():
            (place / "data" / linked).symlink_to(project / "data" / linked)
    splits = read_table(project / SPLITS, ["item_id", "split"])
    write_table(place / SPLITS, splits, {REQUIRE: require})
    open_M = splits.loc[splits["split"] != "test", "item_id"].to_numpy()
    drawn = np.random.default_rng(seed).permutation(open_M)[: round(share * len(open_M))]
    half = len(drawn) // 2
    for name, lacking in ((IMAGE_FEATURES, drawn[:half]), (TEXT_FEATURES, drawn[half:])):
        table = pq.read_table(project / name)
        keeps = ~pd.Series(table["item_id"].to_pylist()).isin(lacking)
        pq.write_table(table.filter(pa.array(keeps)), place / name, row_group_size=4096)


if __name__ == "__main__":
    run(main)
