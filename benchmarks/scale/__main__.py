"""Seconds and peak memory of every stage, for catalogues of growing size."""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
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
ENCODERS = ["glove"]
"""Blocks of text features. A transformer's rate per text is the same at every size."""
INTERVAL = 0.1
"""Seconds between two looks at the memory of a stage's processes."""
SOME_MIB = 2**20


def main(
    items: Annotated[list[int], typer.Option(help="Sizes, each a catalogue of its own.")] = [
        10_000,
        100_000,
        1_000_000,
    ],
    classes: Annotated[int, typer.Option(min=2, help="Class paths.")] = 5_000,
    pictures: Annotated[Path, typer.Option(help="Folder of real pictures.")] = Path(
        "data/raw/openmoji/images"
    ),
    folder: Annotated[Path, typer.Option(help="Where the catalogues and results are made.")] = Path(
        "data/scale"
    ),
    params: Annotated[Path, typer.Option(help="The parameters to measure.")] = Path("params.yaml"),
    only: Annotated[
        list[str] | None, typer.Option(help="Stages to run; the others are as they were.")
    ] = None,
    change: Annotated[
        list[str] | None, typer.Option(help="A parameter to change, as index.kind=hnsw.")
    ] = None,
) -> None:
    """Run the stages one by one and write what each took."""
    for number in items:
        place = folder.resolve() / f"{number}"
        if not (place / "raw").exists():
            make_catalogue(
                place / "raw", items=number, classes=classes, pictures=pictures.resolve(), seed=0
            )
        prepare(place, params, change or [])
        for stage in only or STAGES:
            measured = (
                read_json(place / "measured.json") if (place / "measured.json").exists() else {}
            )
            measured[stage] = measure_stage(stage, place)
            typer.echo(f"{number} {stage} {measured[stage]}")
            write_json(place / "measured.json", measured)


def prepare(place: Path, params: Path, change: list[str]) -> None:
    """Write the parameters of one catalogue."""
    yaml = YAML()
    values = yaml.load(params)
    values["catalog"].update(path="raw/catalog.parquet", images="raw/images")
    values["catalog"]["columns"]["group"] = None
    values["text"]["encoders"] = ENCODERS
    for one in change:
        dotted, value = one.split("=", 1)
        *sections, key = dotted.split(".")
        node = values
        for section in sections:
            node = node[section]
        node[key] = yaml.load(value)
    with (place / "params.yaml").open("w", encoding="utf-8") as stream:
        yaml.dump(values, stream)


def measure_stage(stage: str, place: Path) -> dict[str, float]:
    """Run a stage in a process of its own: seconds, and the peak of all its processes in MiB."""
    arguments = ["glove"] if stage == "text_block" else []
    command = [sys.executable, "-m", f"stages.{stage}", *arguments]
    start = time.perf_counter()
    process = psutil.Popen(command, cwd=place, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, _memory(process))
        time.sleep(INTERVAL)
    if process.returncode:
        raise SystemExit(f"{stage} failed in {place}")
    return {"seconds": time.perf_counter() - start, "peak_mib": peak / SOME_MIB}


def _memory(process: psutil.Process) -> int:
    """Bytes of a process and all below it, each shared page once."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_full_info().pss
        except psutil.Error:  # it has ended
            continue
    return total


if __name__ == "__main__":
    run(main)
