"""Seconds and peak memory of every stage as the catalogue grows: `python -m benchmarks.scale`."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer
from ruamel.yaml import YAML

from benchmarks.harness import environment, write_results
from benchmarks.scale.catalogue import make_catalogue
from pipeline.core.json_file import read_json, write_json
from stages.__main__ import STAGES
from stages.command import run

RESULTS = Path("benchmarks/results/scale_cpu")
SIZES = (10_000, 100_000, 1_000_000)
STEPS = 500
# A transformer's rate per text is the same at every size.
ENCODERS = ["glove"]
INDEXES = ("hnsw", "ivfpq")
"""Kinds of index measured besides the default."""
INTERVAL = 0.2
"""Seconds between two looks at the memory of a stage's processes."""


def main(
    items: Annotated[list[int] | None, typer.Option(help=f"Sizes; {SIZES} if not given.")] = None,
    classes: Annotated[int, typer.Option(min=2, help="Class paths.")] = 5_000,
    pictures: Annotated[Path, typer.Option(help="Folder of real pictures.")] = Path(
        "data/raw/openmoji/images"
    ),
    folder: Annotated[
        Path, typer.Option(help="Where the catalogues and their artifacts go; 40 GB.")
    ] = Path("data/scale"),
    params: Annotated[Path, typer.Option(help="The parameters to measure.")] = Path("params.yaml"),
    only: Annotated[
        list[str] | None, typer.Option(help="Stages to run; others stand as measured before.")
    ] = None,
    indexes: Annotated[
        list[str] | None, typer.Option(help=f"Kinds of index besides flat; {INDEXES}.")
    ] = None,
) -> None:
    """Run the stages one by one, on every catalogue, and write what each took."""
    folder = folder.resolve()
    for number in items or SIZES:
        place = folder / f"{number}"
        if not (place / "raw").exists():
            make_catalogue(
                place / "raw", items=number, classes=classes, pictures=pictures.resolve(), seed=0
            )
        prepare(place, params, "flat")
        for stage in STAGES if only is None else only:
            note(place, stage, measure_stage(stage, place))
        for kind in INDEXES if indexes is None else indexes:
            prepare(place, params, kind)
            note(place, f"index, {kind}", measure_stage("index", place))
    write_table(folder, sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit()))


def prepare(place: Path, params: Path, index: str) -> None:
    """Write the parameters of one catalogue."""
    yaml = YAML()
    values = yaml.load(params)
    values["catalog"].update(path="raw/catalog.parquet", images="raw/images")
    values["catalog"]["columns"]["group"] = None
    values["text"]["encoders"] = ENCODERS
    values["train"]["steps"] = STEPS
    values["index"]["kind"] = index
    values["audit"]["decisions"] = str((params.parent / values["audit"]["decisions"]).resolve())
    with (place / "params.yaml").open("w", encoding="utf-8") as stream:
        yaml.dump(values, stream)


def measure_stage(stage: str, place: Path) -> dict[str, float]:
    """Run a stage in a process of its own: seconds, and the peak of all its processes in MiB.

    Of an index also `recall`, the share of the ten truly nearest that it finds.
    """
    command = [sys.executable, "-m", f"stages.{stage}"]
    if stage == "text_block":
        command += ENCODERS
    start = time.perf_counter()
    process = psutil.Popen(command, cwd=place, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, _memory(process))
        time.sleep(INTERVAL)
    if process.returncode:
        raise SystemExit(f"stage {stage} failed in {place}")
    measured = {"seconds": time.perf_counter() - start, "peak_mib": peak / 2**20}
    if stage == "index":
        measured["recall"] = read_json(place / "data/index/metrics.json")["recall_at_10_of_flat"]
    return measured


def note(place: Path, row: str, measured: dict[str, float]) -> None:
    """Keep what was measured, so that a run that is cut off has lost nothing."""
    typer.echo(f"{place.name} {row} {measured}")
    write_json(place / "measured.json", _measured(place) | {row: measured})


def write_table(folder: Path, sizes: Sequence[int]) -> None:
    """Write a row per stage: seconds and peak at every size, and how time per item grows."""
    by_size = {size: _measured(folder / f"{size}") for size in sizes}
    rows = []
    for stage in [*STAGES, *(f"index, {kind}" for kind in INDEXES)]:
        row: dict[str, Any] = {"stage": stage}
        for size, measured in by_size.items():
            one = measured.get(stage, {})
            row |= {f"{key}_{size}": one.get(key) for key in ("seconds", "peak_mib")}
            row["recall"] = one.get("recall")  # of the largest
        first, last = (row[f"seconds_{size}"] for size in sizes[-2:]) if sizes[1:] else (0, 0)
        row["growth"] = last / first / (sizes[-1] / sizes[-2]) if first and last else None
        rows.append(row)
    headings = {
        f"{key}_{size}": f"{size:,} items, {unit}"
        for size in sizes
        for key, unit in (("seconds", "s"), ("peak_mib", "peak MiB"))
    }
    write_results(
        RESULTS,
        title="Stages as the catalogue grows",
        notes=[
            "`python -m benchmarks.scale`; every stage once, in a process of its own, without DVC",
            "peak: memory of all processes of the stage, each shared page once",
            "catalogues: distinct titles, 5,000 classes of Zipf sizes, depths 2 to 5, a file per "
            "item; the files are hard links to some 3,700 different pictures, so that extraction "
            "is of these alone and the rest of image_features is bookkeeping",
            f"text block glove; training stops after {STEPS} steps",
            "growth: seconds per item at the largest size, divided by those at the one before",
            "recall: share of the ten truly nearest that the index of the largest size finds",
        ],
        columns={"stage": "stage", **headings, "growth": "growth", "recall": "recall"},
        rows=rows,
        environment=environment(),
    )
    typer.echo(RESULTS.with_suffix(".md").read_text(encoding="utf-8"))


def _measured(place: Path) -> dict[str, dict[str, float]]:
    path = place / "measured.json"
    return read_json(path) if path.exists() else {}


def _memory(process: psutil.Process) -> int:
    """Bytes of a process and all below it, each shared page once."""
    try:
        below = process.children(recursive=True)
        if not below:  # telling shared pages apart takes the system long
            return process.memory_info().rss
        return sum(one.memory_full_info().pss for one in [process, *below])
    except psutil.Error:
        return 0  # one of them has just ended


if __name__ == "__main__":
    run(main)
