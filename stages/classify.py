"""New items -> class paths."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stages.command import (
    ImageColumn,
    ModelPath,
    PicturesPath,
    RejectedPath,
    TablePath,
    TextColumn,
    beside,
    counted,
    run,
    shortened,
    warner,
)
from stages.new_items import read_rows
from stages.paths import MODEL

if TYPE_CHECKING:
    from pipeline.use.new_items import BadRow
    from pipeline.use.write_classes import Classified

SHOWN = 50
"""Rows of the table on a terminal."""


def main(
    table: TablePath,
    images: PicturesPath = None,
    out: Annotated[
        Path | None,
        typer.Option(help="CSV, JSON or JSON Lines file; if not given, the terminal."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON Lines in place of a table.")
    ] = False,
    k: Annotated[int, typer.Option(min=1, help="Classes to name per item.")] = 3,
    threshold: Annotated[
        float,
        typer.Option(
            min=0.01, max=1.0, help="Probability that a part of the tree needs to be called sure."
        ),
    ] = 0.5,
    rejected: RejectedPath = None,
    image_column: ImageColumn = None,
    text_column: TextColumn = None,
    model: ModelPath = MODEL,
) -> None:
    """Classify new items from their pictures, their texts or both."""
    from pipeline.use.api import Huse
    from pipeline.use.new_items import refuse_if_empty, rejected_writer
    from pipeline.use.write_classes import classified_writer, classify_table

    listed = beside(out) if rejected is None and out is not None else rejected
    shown: list[Classified] = []
    show = _print_json if as_json else lambda rows: shown.extend(rows[: SHOWN - len(shown)])
    with ExitStack() as stack:
        write = show if out is None else stack.enter_context(classified_writer(out, k))
        refuse = _warn if listed is None else stack.enter_context(rejected_writer(listed))
        huse = Huse.load(model, warn=warner("classify"))
        batches = read_rows(
            "classify", huse, table, images, image_column=image_column, text_column=text_column
        )
        counts = classify_table(huse, batches, write, refuse, k=k, threshold=threshold)
    if shown:
        _print_table(shown)
    refuse_if_empty(counts.used, listed, table)
    see = "" if listed is None else f", see {listed}"
    used, rows = counted(counts.used, "item"), counted(counts.rejected, "row")
    typer.echo(f"classify: {used}; {rows} rejected{see}", err=as_json)


def _print_json(rows: list[Classified]) -> None:
    for row in rows:
        typer.echo(json.dumps(row.as_json(), ensure_ascii=False))


def _print_table(rows: list[Classified]) -> None:
    grid = Table("row", "item", "sure of", "most probable", "near", box=SIMPLE)
    for item, prediction, nearness in rows:
        sure = f"{prediction.sure.path or '-'}  {prediction.sure.probability:.2f}"
        top = "\n".join(f"{guess.probability:.2f}  {guess.path}" for guess in prediction.top)
        what = "\n".join(part for part in (shortened(item.text), item.image) if part)
        near = {True: "yes", False: "no", None: "-"}[nearness.near]
        grid.add_row(str(item.row), *(Text(cell) for cell in (what, sure, top, near)))
    console = Console()
    console.print(grid)
    if len(rows) == SHOWN:
        console.print(f"The first {SHOWN} items; --out writes them all.")


def _warn(rows: list[BadRow]) -> None:
    for row in rows:
        typer.echo(f"classify: row {row.row} rejected: {row.reason}", err=True)


if __name__ == "__main__":
    run(main)
