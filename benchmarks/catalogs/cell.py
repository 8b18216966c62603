"""One catalogue with one split: its features, the baseline, and the towers of every variant."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

from benchmarks.catalogs.raw import SOURCES, make_raw
from pipeline.baseline.baseline import read_baseline
from pipeline.core.json_file import read_json, write_json
from pipeline.core.table import read_table
from pipeline.evaluate.directions import PAPER_DIRECTIONS, measure_directions
from pipeline.evaluate.predictions import predict_pairs
from pipeline.features.classes import item_classes
from pipeline.features.joined import index_features
from pipeline.features.pairs import read_pairs
from pipeline.metrics.neighbours import worthless_results
from pipeline.model.model_file import load_model
from stages import (
    baseline,
    catalog,
    clean_text,
    image_features,
    semantic_graph,
    text_block,
    text_features,
    train,
)
from stages.paths import BASELINE, CLASSES, GROUPS, IMAGE_FEATURES, ITEMS, SPLITS, TEXT_FEATURES

TABLES = {
    "items": ITEMS,
    "splits": SPLITS,
    "groups": GROUPS,
    "classes": CLASSES,
    "image_features": IMAGE_FEATURES,
    "text_features": TEXT_FEATURES,
}
FEW = 5
"""A class with at most so many training items is rare."""
CUTOFFS, HIERARCHY_CUTOFFS = (1, 5, 10), (2, 5, 10)


def run_cells(
    name: str,
    seed: int,
    variants: Mapping[str, Mapping[str, Any]],
    folder: Path,
    params: Path,
    *,
    cells: str,
    measure: Callable[[], dict[str, Any]],
) -> None:
    """Measure every variant on one split of a catalogue; what was measured before stays.

    Args:
        name: Of SOURCES.
        seed: Of the split, of the cut where there is one, and of training.
        variants: Values by dotted parameter, by the variant's name.
        folder: Where the catalogues, their features and the results are.
        params: The shipped parameters.
        cells: Folder of the results, below `folder`.
        measure: Called in a project's folder after training; what it returns is the result.
    """
    results = {variant: folder / cells / f"{name}-{seed}-{variant}.json" for variant in variants}
    missing = [variant for variant in variants if not results[variant].exists()]
    if not missing:
        return
    raw = make_raw(name, folder).resolve()
    place = (folder / "features" / name).resolve()
    place.mkdir(parents=True, exist_ok=True)
    yaml = YAML()
    values = yaml.load(params)
    with _inside(place):
        _write_params(yaml, values, name, seed, raw, folder)
        # In this process: importing torch takes longer than most of these stages.
        for stage in (
            catalog,
            clean_text,
            image_features,
            text_block,
            text_features,
            semantic_graph,
            baseline,
        ):
            stage.main()
    for variant in missing:
        with _inside(place):
            _write_params(yaml, _changed(values, variants[variant]), name, seed, raw, folder)
            train.main()
            measured = measure()
        write_json(results[variant], measured)


def _write_params(
    yaml: YAML, values: dict[str, Any], name: str, seed: int, raw: Path, folder: Path
) -> None:
    table = raw / "catalog.csv"
    if (cut := SOURCES[name].cut) is not None:
        table = Path("catalog.csv").resolve()
        pd.read_csv(raw / "catalog.csv").sample(cut, random_state=seed).to_csv(table, index=False)
    values["catalog"].update(path=str(table), images=str(raw / "images"))
    values["catalog"]["columns"]["group"] = "group" if SOURCES[name].grouped else None
    values["split"]["seed"] = values["train"]["seed"] = seed
    with Path("params.yaml").open("w", encoding="utf-8") as stream:
        yaml.dump(values, stream)


def _changed(values: dict[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    changed = json.loads(json.dumps(values))
    for dotted, value in change.items():
        *sections, key = dotted.split(".")
        node = changed
        for section in sections:
            node = node[section]
        node[key] = value
    return changed


def measure_accuracy() -> dict[str, Any]:
    """What the trained towers and the baseline say of the test items.

    Returns:
        `items` (the first picture of each item's group, which is the same in every split),
        `right` by modality and `baseline` likewise: 0 or 1 by item; `rare`: whether the item's
        class is; `label`; means `recall` and `hierarchy` over directions and cut-offs.
    """
    index = index_features(**TABLES)
    stored = load_model(Path("data/model"))
    pairs = read_pairs(index.only("test"))
    said = predict_pairs(stored, pairs)
    label_N = pairs.label_N.numpy()
    entries = item_classes(stored.classes)
    count_K = np.bincount(index.only("train").label_N, minlength=len(entries))
    predicted = read_baseline(BASELINE).predicted.loc[pairs.item_ids]
    names_N = np.array([entry["name"] for entry in entries], dtype=object)[label_N]
    assert pairs.shared_N3 is not None, "read_pairs reads what items share"
    directions = measure_directions(
        said,
        pairs.label_N,
        [entry["parts"] for entry in entries],
        groups=worthless_results(*pairs.shared_N3.T),
        k=CUTOFFS,
        hp_k=HIERARCHY_CUTOFFS,
    )
    paper = [directions[name] for name in PAPER_DIRECTIONS]
    config = read_json(Path("data/model/model.json"))["config"]
    return {
        "train": len(index.only("train")),
        "classes": len(entries),
        "input_dropout": config["input_dropout"],
        "items": name_groups(pairs.item_ids),
        "label": label_N.tolist(),
        "rare": (count_K[label_N] <= FEW).astype(int).tolist(),
        "right": {
            modality: (one.predicted_N.numpy() == label_N).astype(int).tolist()
            for modality, one in said.items()
        },
        "baseline": {
            modality: (predicted[modality].to_numpy(object) == names_N).astype(int).tolist()
            for modality in predicted
        },
        "recall": float(np.mean([one.hit_MC[one.answerable].mean() for one in paper])),
        "hierarchy": float(np.mean([one.precision_MC[one.answerable].mean() for one in paper])),
    }


def name_groups(item_ids: Iterable[str]) -> list[str]:
    """Name each item's group by the first of its pictures, which is the same in every split."""
    kept = read_table(ITEMS, ["item_id", "image"]).merge(read_table(GROUPS, ["item_id", "group"]))
    first = kept.groupby("group")["image"].transform("min").set_axis(kept["item_id"])
    return [Path(image).name for image in first.loc[list(item_ids)]]


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
