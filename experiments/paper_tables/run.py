"""Train an objective with its chosen setting and measure the test split."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from cell import train_cell
from measure import measure

from pipeline.core.json_file import read_json, write_json


def main(
    objective: Annotated[str, typer.Option(help="Value of loss.objective.")],
    seed: Annotated[int, typer.Option(help="Value of train.seed.")],
    tuned: Annotated[Path, typer.Option(help="What tune.py wrote.")],
    out: Annotated[Path, typer.Option(help="Where to write the measurements.")],
) -> None:
    """Measure one objective at one seed."""
    with tempfile.TemporaryDirectory() as folder:
        train_cell(objective, read_json(tuned)["best"], seed, Path(folder))
        write_json(out, measure(Path(folder), "test"))


if __name__ == "__main__":
    typer.run(main)
