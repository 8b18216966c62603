"""HUSE under one relaxation of the graph loss, on validation."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from cell import train_cell
from measure import measure, summary

from pipeline.core.json_file import read_json, write_json


def main(
    relaxation: Annotated[str, typer.Option(help="Value of loss.relaxation.")],
    seed: Annotated[int, typer.Option(help="Value of train.seed.")],
    tuned: Annotated[Path, typer.Option(help="What tune.py wrote for HUSE.")],
    out: Annotated[Path, typer.Option(help="Where to write the validation figures.")],
) -> None:
    """Train HUSE with its chosen setting and this relaxation; the test split is not looked at."""
    setting = {**read_json(tuned)["best"], "loss.relaxation": relaxation}
    with tempfile.TemporaryDirectory() as folder:
        train_cell("huse", setting, seed, Path(folder))
        write_json(out, summary(measure(Path(folder), "val")))


if __name__ == "__main__":
    typer.run(main)
