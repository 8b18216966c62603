"""Two runs on the same test items, paired item by item; or a run and its baseline."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from pipeline.core.errors import InputError
from stages.command import run
from stages.paths import OUTCOMES

if TYPE_CHECKING:
    from pipeline.evaluate.outcomes import Difference, Outcomes

BASELINE = "baseline"


def main(
    first: Annotated[
        str | None,
        typer.Argument(
            help="A run: a git revision, the name of an experiment, or a folder that evaluate "
            "wrote. If not given, the workspace is compared with logistic regression.",
            show_default=False,
        ),
    ] = None,
    second: Annotated[
        str | None,
        typer.Argument(help="Another run; if not given, the workspace.", show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show every direction and cut-off.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON in place of a table.")
    ] = False,
) -> None:
    """Say by how much two runs differ on the items that both were tested on, and how surely."""
    from pipeline.evaluate.outcomes import against_baseline, differences

    run_of = _read(second)
    others = len(run_of.item_ids)
    if first is None:
        found, items = against_baseline(run_of), len(run_of.item_ids)
        found = {f"{modality} accuracy": one for modality, one in found.items()}
        if not found:
            raise InputError(
                "compare: this run has no baseline (evaluate.baseline is 0, no test item has both "
                "a picture and a text, or there are too many classes or features for one)"
            )
        names = (BASELINE, "model")
    else:
        other = _read(first)
        others = max(others, len(other.item_ids))
        found, items = differences(other, run_of)
        if not every:
            found = {name: one for name, one in found.items() if "." not in name}
        names = (first, second or "workspace")
    if as_json:
        rows = {name: one._asdict() | {"difference": one.value} for name, one in found.items()}
        typer.echo(json.dumps({"items": items, "figures": rows}, indent=2))
    else:
        _print_table(found, names)
        typer.echo(
            f"{items} test items, paired; an interval that has 0 in it leaves open which is better"
        )
        if items < others:
            typer.echo(
                f"Only those that both runs tested count, of up to {others}, so figures are not "
                "the runs' own; each run searched among its own test items."
            )
        if first is not None and all(one.value == one.low == one.high for one in found.values()):
            typer.echo(
                "Not one item came out otherwise: the same run twice? `dvc exp run` leaves its "
                "experiment in the workspace; compare it with huse compare HEAD."
            )
        if first is None:
            typer.echo("The baseline is logistic regression on the same features.")


def _read(run_name: str | None) -> Outcomes:
    """Outcomes of the workspace, of a folder, or of what DVC keeps of a revision."""
    from pipeline.evaluate.outcomes import read_outcomes

    if run_name is None:
        return read_outcomes(OUTCOMES)
    if Path(run_name).is_dir():
        return read_outcomes(Path(run_name) / OUTCOMES.name)
    import dvc.api
    from dvc.exceptions import DvcException
    from scmrepo.exceptions import SCMError

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / OUTCOMES.name
        try:
            with dvc.api.open(OUTCOMES.as_posix(), rev=run_name, mode="rb") as content:
                copy.write_bytes(content.read())
        except (DvcException, SCMError, OSError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise InputError(
                f"compare: {run_name}: no test results of it are here ({reason}); name a git "
                "revision or experiment that has been evaluated, or a folder such as data/evaluate"
            ) from error
        return read_outcomes(copy)


def _print_table(found: dict[str, Difference], names: tuple[str, str]) -> None:
    grid = Table(box=SIMPLE)
    for head in ("", *names, "difference", "95 % interval", ""):
        grid.add_column(head, overflow="fold")
    for name, one in found.items():
        verdict = "" if not one.is_certain else "better" if one.value > 0 else "worse"
        ends = f"{one.low:+.4f} to {one.high:+.4f}"
        cells = (f"{one.first:.4f}", f"{one.second:.4f}", f"{one.value:+.4f}", ends, verdict)
        grid.add_row(name, *cells)
    Console().print(grid)


if __name__ == "__main__":
    run(main)
