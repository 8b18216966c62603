"""Is what is of no class of the catalogue called unknown? `python -m benchmarks.unknown`.

Takes two finished projects. The strangers of each are items of the other, nonsense texts, pictures
of noise and pictures of one colour. Every score has a limit that 98 % of the validation items stay
within; false alarms are then counted on test items, which are compared with training and
validation items without their own variants, as `pipeline/index/fit_references.py` does.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer

from benchmarks.harness import environment, write_results
from benchmarks.unknown.figures import (
    Measured,
    Weights,
    draw_weights,
    fit_limit,
    measure,
    with_interval,
)
from benchmarks.unknown.rules import ANY_NEAR, RULES, pair_up
from benchmarks.unknown.scenes import HALVES, OTHER, Scene, read_scene, read_texts, sample_items
from benchmarks.unknown.scores import (
    DISTANCE,
    TO_NAMES,
    Values,
    frozen_scores,
    tower_scores,
)

Row = dict[str, Any]


def main(
    project: Annotated[list[Path], typer.Option(help="Folder of a finished project; give two.")],
    names: Annotated[
        Path | None, typer.Option(help="CSV with `text` and `classes`: a catalogue of texts alone.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Results, without suffix.")] = Path(
        "benchmarks/results/unknown"
    ),
) -> None:
    """Measure every score on both projects, and write the table."""
    torch.set_num_threads(1)
    first, second = project
    rows, notes = [], []
    for folder, other in ((first, second), (second, first)):
        scene = read_scene(folder, other)
        rows += _scene_rows(scene, folder.name)
        notes.append(_describe(scene, folder.name))
    if names is not None:
        strangers = {OTHER: sample_items(first)["text"].tolist()}
        strangers[second.name] = sample_items(second)["text"].tolist()
        scene = read_texts(names, first, strangers)
        rows += _part_rows(scene, "text", names.stem, {})
        notes.append(
            f"{_describe(scene, names.stem)}; other catalogue: {first.name}. Divided at random, "
            "encoded as the texts of the first project; no score was chosen by it"
        )
    write_results(
        out,
        title="Items that are of no class of the catalogue",
        notes=[
            "`python -m benchmarks.unknown --project FOLDER --project FOLDER --names CSV`",
            "false alarms: share of the test items beyond the limit that 98 % of the validation "
            "items stay within; detected: share of the other catalogue's items beyond it; others: "
            "share beyond it of other strangers, and of pieces of test items' titles, which are no "
            "strangers",
            "all are compared with the items of all splits, own items without their variants",
            "intervals: 95 %, products and strangers drawn with replacement (1,000 draws), limits "
            f"as fitted; less: difference to `{DISTANCE}` (image, text) or to `{ANY_NEAR}` of the "
            "same draws",
            "The rule was chosen by looking at these test items and at another 1,000 items of the "
            "other catalogue, which are not among these",
            f"image, text: `{DISTANCE}` is the cosine distance of the frozen features to the "
            f"nearest item; `{TO_NAMES}` is what huse says of a text",
            "both: distances in units of their parts' limits; near is within 1, unless the rule "
            "has a limit of its own",
            "energy, greatest probability, entropy: of the calibrated logits; kernel: soft minimum "
            "of the distances, its width in limits, of features less a part of their mean",
            *notes,
        ],
        columns={
            "catalog": "catalogue",
            "parts": "given",
            "score": "score",
            "alarms": "false alarms",
            "auroc": "AUROC",
            "auroc_gain": "less",
            "detected": "detected",
            "detected_gain": "less",
            "others": "others",
        },
        rows=rows,
        environment=environment(),
    )


def _describe(scene: Scene, name: str) -> str:
    splits = {"training": scene.train, "validation": scene.val, "test": scene.test}
    counts = ", ".join(f"{len(own.product_N)} {split} items" for split, own in splits.items())
    kinds = ", ".join(
        f"{len(next(iter(parts.values())))} {kind}" for kind, parts in scene.others.items()
    )
    return f"{name}: {counts}; {kinds}"


def _scene_rows(scene: Scene, name: str) -> list[Row]:
    """Rows of pictures, of texts and of both together."""
    ratios = {}
    rows = []
    for part, kept in (("image", DISTANCE), ("text", TO_NAMES)):
        scores = frozen_scores(scene, part)
        # Names are asked about what is far from titles: the limit is that of the titles.
        limit = fit_limit(scores[DISTANCE]["val"])
        ratios[part] = {kind: value_N / limit for kind, value_N in scores[kept].items()}
        rows += _part_rows(scene, part, name, tower_scores(scene, (part,)), scores)
    pairs = pair_up(ratios["image"], ratios["text"], ratios["text"][HALVES])
    cases = {}
    for rule, (of, own_limit) in RULES.items():
        values = {kind: of(ratio_N2) for kind, ratio_N2 in pairs.items()}
        cases[rule] = values, fit_limit(values["val"]) if own_limit else 1.0
    for score, values in tower_scores(scene, ("image", "text")).items():
        cases[score] = values, fit_limit(values["val"])
    rows += _rows(scene, name, "both", cases, ANY_NEAR)
    return rows


def _part_rows(
    scene: Scene,
    part: str,
    name: str,
    towers: Mapping[str, Values],
    scores: Mapping[str, Values] | None = None,
) -> list[Row]:
    scores = frozen_scores(scene, part) if scores is None else scores
    limit = fit_limit(scores[DISTANCE]["val"])
    cases = {
        score: (values, limit if score == TO_NAMES else fit_limit(values["val"]))
        for score, values in {**scores, **towers}.items()
    }
    return _rows(scene, name, part, cases, DISTANCE)


def _rows(
    scene: Scene, name: str, parts: str, cases: Mapping[str, tuple[Values, float]], base: str
) -> list[Row]:
    weights = draw_weights(scene.test.product_N, len(cases[base][0][OTHER]))
    than = _measure(cases[base], weights)
    rows = []
    for score, case in cases.items():
        found = _measure(case, weights)
        row: Row = {"catalog": name, "parts": parts, "score": score}
        row["alarms"] = with_interval(found.alarms, found.alarms_D)
        row["auroc"] = with_interval(found.auroc, found.auroc_D)
        row["detected"] = with_interval(found.detected, found.detected_D)
        row["auroc_gain"] = row["detected_gain"] = None
        if score != base:
            row["auroc_gain"] = with_interval(
                found.auroc - than.auroc, found.auroc_D - than.auroc_D, "+"
            )
            row["detected_gain"] = with_interval(
                found.detected - than.detected, found.detected_D - than.detected_D, "+"
            )
        row["others"] = "; ".join(f"{kind} {share:.3f}" for kind, share in _others(*case))
        print(*(value for value in row.values() if value is not None), sep=" | ", flush=True)
        rows.append(row)
    return rows


def _measure(case: tuple[Values, float], weights: Weights) -> Measured:
    values, limit = case
    return measure(values["test"], values[OTHER], limit, weights)


def _others(values: Values, limit: float) -> Iterator[tuple[str, float]]:
    for kind, value_N in values.items():
        if kind not in ("val", "test", OTHER):
            yield kind, float(np.mean(value_N > limit))


if __name__ == "__main__":
    typer.run(main)
