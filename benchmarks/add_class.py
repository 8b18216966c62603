"""Classes that did not exist at training: `python -m benchmarks.add_class --project PROJECT`.

Trains without some classes of a project that has its features, and then adds these.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import typer

from benchmarks.catalogs.cell import TABLES
from benchmarks.harness import environment, write_results
from pipeline.core.json_file import read_json, write_json
from pipeline.core.table import read_table
from pipeline.features.classes import item_classes, make_classes
from pipeline.features.graph_file import SemanticGraph, read_graph, write_graph
from pipeline.features.joined import join_features
from pipeline.features.pairs import Pairs, read_pairs
from pipeline.features.text_rows import TextRows
from pipeline.model.embed import embed_pairs, predict
from pipeline.model.model_file import load_model
from pipeline.model.new_class import (
    Place,
    log_odds,
    place_of_name,
    prototype,
    with_new_classes,
)
from pipeline.model.new_class_file import read_new_class_rule
from stages import train
from stages.command import run
from stages.paths import CLASS_NAMES, GRAPH, MODEL, PARAMS

RESULTS = Path("benchmarks/results")
EXAMPLES = (0, 1, 5, 20)
SHARE = 0.1
"""Of the classes, those that are held out."""
FEWEST = 25
"""Items of a class that may be held out: 20 examples, and some to test."""
LARGEST = 0.05
"""Share of the catalogue that a class may have at most: without it there is another catalogue."""
LINKED = ("features/image.parquet", "features/text.parquet")
COPIED = ("features/image_encoder", "features/text_encoder")
WAYS = {
    "huse": "added to the classifier",
    "space": "nearest mean in the space",
    "raw": "nearest mean, raw features",
    "whitened": "nearest mean, standardised features",
}


def main(
    project: Annotated[Path, typer.Option(help="Finished project; it is not changed.")],
    draws: Annotated[int, typer.Option(min=2, help="Draws of classes, from seed 0.")] = 5,
    folder: Annotated[Path, typer.Option(help="Where everything is made.")] = Path(
        "data/add_class"
    ),
    params: Annotated[Path, typer.Option(help="The parameters to train with.")] = PARAMS,
) -> None:
    """Hold classes out in every draw, and measure what adding them gives."""
    project, folder, params = project.resolve(), folder.resolve(), params.resolve()
    drawn = []
    for draw in range(draws):
        place = folder / f"{project.name}-{draw}"
        held = hold_out(project, draw)
        if not (place / MODEL / "model.json").is_file():
            train_without(project, place, held, params)
        drawn.append(measure(project, place, held, draw))
    write_results(
        RESULTS / f"add_class_{project.name}",
        title="Classes that did not exist at training",
        notes=[
            f"`python -m benchmarks.add_class --project ...`, {draws} draws of "
            f"{100 * SHARE:.0f} % of the classes, of those with at least {FEWEST} items and at "
            f"most {100 * LARGEST:.0f} % of all; mean, and 95 % interval over the draws (t)",
            "old: accuracy on test items of the classes that were trained on; new: on all items of "
            "the held-out classes but the examples and what is of one group with these; both: the "
            "harmonic mean. All classes compete; pictures and texts together",
            "0 examples: the class by its name alone, of which raw features compare texts alone; "
            "else the examples, and for the classifier the name as one more",
            f"before any class is added, {_interval([one['before'] for one in drawn])} of the old "
            "test items are right",
        ],
        columns={"way": "way", "examples": "examples", "old": "old", "new": "new", "both": "both"},
        rows=[
            {
                "way": WAYS[way],
                "examples": examples,
                **{
                    key: _interval([one[f"{way}_{examples}"][key] for one in drawn])
                    for key in ("old", "new", "both")
                },
            }
            for way in WAYS
            for examples in EXAMPLES
        ],
        environment=environment(),
    )


def hold_out(project: Path, draw: int) -> list[str]:
    """Draw the classes that are not trained on."""
    count = read_table(project / TABLES["items"], ["class_path"])["class_path"].value_counts()
    fit = sorted(count.index[(count >= FEWEST) & (count <= LARGEST * count.sum())])
    chosen = np.random.default_rng(draw).choice(fit, round(SHARE * len(count)), replace=False)
    return sorted(chosen.tolist())


def train_without(project: Path, place: Path, held: Sequence[str], params: Path) -> None:
    """Train as stage train does, on a catalogue that lacks the classes.

    The frozen features stay: the words of the text encoder were weighted with all classes there.
    """
    (place / "data/features").mkdir(parents=True, exist_ok=True)
    for name in (*LINKED, *COPIED):
        (place / "data" / name).symlink_to(project / "data" / name)
    items = read_table(project / TABLES["items"], ["item_id", "class_path"])
    kept = items[~items["class_path"].isin(held)]
    for name in ("items", "splits", "groups"):
        _filter(project, place, TABLES[name], kept["item_id"].tolist())
    classes = read_json(project / TABLES["classes"])
    made = make_classes(kept["class_path"], separator=classes["separator"], label=classes["label"])
    write_json(place / TABLES["classes"], made)
    _filter(project, place, CLASS_NAMES, [entry["name"] for entry in made["classes"]])
    graph = read_graph(project / GRAPH)
    rows = np.array([row for row, name in enumerate(graph.names) if name not in held])
    names = [graph.names[row] for row in rows]
    adjacency_KK = np.ascontiguousarray(graph.adjacency_KK[np.ix_(rows, rows)])
    write_graph(
        place / GRAPH, SemanticGraph(names, adjacency_KK, graph.class_embedding_KE[rows]), {}
    )
    shutil.copy(params, place / PARAMS)
    before = Path.cwd()
    os.chdir(place)
    try:
        train.main()
    finally:
        os.chdir(before)


class Items(NamedTuple):
    """Features of one kind of all items, rows of unit norm, and of the names of classes."""

    image_ND: np.ndarray
    text_ND: np.ndarray
    name_KD: np.ndarray


def measure(project: Path, place: Path, held: Sequence[str], draw: int) -> dict[str, Any]:
    """Add the held-out classes to the model from some examples, and test all classes."""
    stored = load_model(place / MODEL)
    rule = read_new_class_rule(place / MODEL, stored.digest())
    index = join_features(**{name: project / path for name, path in TABLES.items()})
    index = index.take(np.flatnonzero(index.has_image & index.has_text))
    pairs = read_pairs(index)
    names = [entry["name"] for entry in item_classes(read_json(project / TABLES["classes"]))]
    name_KT = TextRows(project / CLASS_NAMES).read(np.arange(len(names)))
    assert isinstance(name_KT, torch.Tensor), "no sparse text features"
    assert isinstance(pairs.text_NT, torch.Tensor), "no sparse text features"
    points = embed_pairs(stored.model, pairs)
    with torch.inference_mode():
        name_KD = stored.model.text_tower(name_KT).numpy()
    said = [
        found["fused"].class_BK for _, found in predict(stored, points["image"], points["text"])
    ]
    probability_NK = torch.cat(said).numpy()
    space = Items(points["image"].numpy(), points["text"].numpy(), name_KD)
    old = [entry["name"] for entry in item_classes(stored.classes)]
    # Classes in the order of the answers: the old ones, then those that are added.
    position = {name: number for number, name in enumerate([*old, *held])}
    label_N = np.array([position[names[label]] for label in index.label_N])
    chosen, tested_new = _draw_examples(project, index.item_ids, label_N, len(old), draw)
    tested = np.concatenate(
        [np.flatnonzero((index.split_N == "test") & (label_N < len(old))), tested_new]
    )
    row_of_name = np.array([names.index(name) for name in position])
    kinds = {
        "space": space,
        "raw": _raw(pairs, name_KT.numpy(), None),
        "whitened": _raw(pairs, name_KT.numpy(), index.split_N == "train"),
    }
    known = (index.split_N == "train") & (label_N < len(old))
    result: dict[str, Any] = {}
    for examples in EXAMPLES:
        used = [rows[:examples] for rows in chosen]
        for way, kind in kinds.items():
            alone = way != "space" and examples == 0
            answer_M = _nearest_mean(
                kind, row_of_name, known, label_N, used, tested, text_alone=alone
            )
            result[f"{way}_{examples}"] = _score(answer_M, label_N[tested], len(old))
        places = []
        for name, rows in zip(held, used, strict=True):
            name_D = name_KD[names.index(name)]
            around = [
                prototype(one_ND[rows], name_D)
                if len(rows)
                else place_of_name(name_D, rule.name_KD, mean_KD)
                for one_ND, mean_KD in (
                    (space.image_ND, rule.image_KD),
                    (space.text_ND, rule.text_KD),
                )
            ]
            assert around[0] is not None
            assert around[1] is not None
            places.append(Place(around[0], around[1], examples, examples))
        odds_MA = log_odds(
            rule, places, space.image_ND[tested], space.text_ND[tested], probability_NK[tested]
        )
        answer_M = with_new_classes(probability_NK[tested], odds_MA).argmax(axis=1)
        result[f"huse_{examples}"] = _score(answer_M, label_N[tested], len(old))
    is_old_M = label_N[tested] < len(old)
    right_M = probability_NK[tested].argmax(axis=1) == label_N[tested]
    return result | {"before": float(right_M[is_old_M].mean())}


def _draw_examples(
    project: Path, item_ids: np.ndarray, label_N: np.ndarray, old: int, draw: int
) -> tuple[list[np.ndarray], np.ndarray]:
    """Examples of every new class, and the items that are of no group with any of them."""
    groups = read_table(project / TABLES["groups"], ["item_id", "group"]).set_index("item_id")
    group_N = groups["group"].loc[item_ids].to_numpy()
    generator = np.random.default_rng(draw)
    chosen, tested = [], []
    for label in range(old, label_N.max() + 1):
        rows = generator.permutation(np.flatnonzero(label_N == label))
        used, rest = rows[: EXAMPLES[-1]], rows[EXAMPLES[-1] :]
        chosen.append(used)
        tested.append(rest[~np.isin(group_N[rest], group_N[used])])
    return chosen, np.concatenate(tested)


def _raw(pairs: Pairs, name_KT: np.ndarray, train_N: np.ndarray | None) -> Items:
    """The frozen features; standardised by training items if these are given."""
    image_NI, text_NT = pairs.image_NI.numpy(), np.asarray(pairs.text_NT)
    if train_N is not None:
        mean_I, std_I = image_NI[train_N].mean(axis=0), image_NI[train_N].std(axis=0) + 1e-6
        mean_T, std_T = text_NT[train_N].mean(axis=0), text_NT[train_N].std(axis=0) + 1e-6
        image_NI = (image_NI - mean_I) / std_I
        text_NT, name_KT = (text_NT - mean_T) / std_T, (name_KT - mean_T) / std_T
    return Items(*(_unit(one) for one in (image_NI, text_NT, name_KT)))


def _nearest_mean(
    kind: Items,
    row_of_name: np.ndarray,
    known_N: np.ndarray,
    label_N: np.ndarray,
    used: Sequence[np.ndarray],
    tested: np.ndarray,
    *,
    text_alone: bool,
) -> np.ndarray:
    """Answer with the class whose mean is most similar, pictures and texts added up."""
    classes, old = len(row_of_name), len(row_of_name) - len(used)
    total = 0.0
    for point_ND in (kind.text_ND,) if text_alone else (kind.image_ND, kind.text_ND):
        mean_KD = np.zeros((classes, point_ND.shape[1]))
        np.add.at(mean_KD, label_N[known_N], point_ND[known_N])
        for number, rows in enumerate(used):
            mean_KD[old + number] = point_ND[rows].sum(axis=0)
        if not len(used[0]):
            mean_KD[old:] = kind.name_KD[row_of_name[old:]]
        total = total + point_ND[tested] @ _unit(mean_KD).T
    return np.argmax(total, axis=1)


def _score(answer_M: np.ndarray, label_M: np.ndarray, old: int) -> dict[str, float]:
    right_M, is_old_M = answer_M == label_M, label_M < old
    one, other = float(right_M[is_old_M].mean()), float(right_M[~is_old_M].mean())
    both = 2 * one * other / (one + other) if one + other else 0.0
    return {"old": one, "new": other, "both": both}


def _interval(values: Sequence[float]) -> str:
    from scipy.stats import t

    half = t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{np.mean(values):.3f} ({np.mean(values) - half:.3f} to {np.mean(values) + half:.3f})"


def _unit(value_ND: np.ndarray) -> np.ndarray:
    return value_ND / np.maximum(np.linalg.norm(value_ND, axis=1, keepdims=True), 1e-12)


def _filter(project: Path, place: Path, path: Path, item_ids: Sequence[str]) -> None:
    table = pq.read_table(project / path)
    (place / path).parent.mkdir(parents=True, exist_ok=True)
    kept = np.isin(table["item_id"].to_numpy(zero_copy_only=False).astype(str), item_ids)
    pq.write_table(table.filter(pa.array(kept)), place / path)


if __name__ == "__main__":
    run(main)
