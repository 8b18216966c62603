"""Try every setting of an objective at seed 0 and keep the best on validation."""

import tempfile
from itertools import product
from pathlib import Path
from typing import Annotated

import typer
from cell import PARAMS, train_cell
from measure import measure, summary

from pipeline.core.json_file import write_json
from pipeline.core.params import read_params


def main(
    objective: Annotated[str, typer.Option(help="Value of loss.objective.")],
    out: Annotated[Path, typer.Option(help="Where to write all scores and the best setting.")],
) -> None:
    """Choose an objective's setting on the validation split."""
    params = read_params(PARAMS)
    tried = []
    for rates, knobs in product(params["rates"], params["search"][objective]):
        setting = {**rates, **knobs}
        with tempfile.TemporaryDirectory() as folder:
            train_cell(objective, setting, 0, Path(folder))
            tried.append({"setting": setting, **summary(measure(Path(folder), "val"))})
    figure = params["choose_by"].get(objective, "score")
    best = max(tried, key=lambda one: one[figure])
    write_json(out, {"best": best["setting"], "tried": tried})


if __name__ == "__main__":
    typer.run(main)
