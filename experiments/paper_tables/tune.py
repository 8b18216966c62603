"""Try every setting of an objective at seed 0 and keep the best on validation."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from cell import PARAMS, train_cell

from pipeline.files.json_file import read_json, write_json
from pipeline.params.load import read_params


def main(
    objective: Annotated[str, typer.Option(help="Value of loss.objective.")],
    out: Annotated[Path, typer.Option(help="Where to write all scores and the best setting.")],
) -> None:
    """Choose an objective's setting on the validation split."""
    tried = []
    for setting in read_params(PARAMS)["search"][objective]:
        with tempfile.TemporaryDirectory() as folder:
            train_cell(objective, setting, 0, Path(folder))
            validation = read_json(Path(folder) / "curves/metrics.json")["val"]
        tried.append({"setting": setting, "validation": validation})
    best = max(tried, key=lambda one: one["validation"]["score"])
    write_json(out, {"best": best["setting"], "tried": tried})


if __name__ == "__main__":
    typer.run(main)
