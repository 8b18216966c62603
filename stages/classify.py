"""New items -> class paths."""

from __future__ import annotations

import json
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.core.counted import counted
from stages.command import (
    ImageColumn,
    LoggedAt,
    LogPath,
    ModelPath,
    PicturesPath,
    RejectedPath,
    SeparatorImages,
    TableDelimiter,
    TableEncoding,
    TablePath,
    TableSheet,
    TextColumn,
    beside,
    rejected_rows,
    run,
    shortened,
    warner,
)
from stages.new_items import read_rows, recorder
from stages.paths import MODEL, PARAMS

if TYPE_CHECKING:
    from pipeline.decide.settings import ClassifySettings
    from pipeline.use.new_items import BadRow
    from pipeline.use.prediction import State
    from pipeline.use.write_classes import Classified

STATES: tuple[State, ...] = ("filed", "filed above", "review", "unknown")
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
    precision: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Share of the filed items that shall be filed rightly; classify.precision if not "
            "given. The rest is left for a person.",
        ),
    ] = None,
    rejected: RejectedPath = None,
    image_column: ImageColumn = None,
    text_column: TextColumn = None,
    separator_images: SeparatorImages = None,
    encoding: TableEncoding = None,
    delimiter: TableDelimiter = "auto",
    sheet: TableSheet = None,
    log: LogPath = None,
    logged_at: LoggedAt = None,
    model: ModelPath = MODEL,
) -> None:
    """Classify new items by picture, text or both, and file those that are certain enough."""
    from pipeline.use.api import Huse
    from pipeline.use.new_items import refuse_if_empty, rejected_writer
    from pipeline.use.write_classes import classified_writer, classify_table

    listed = beside(out) if rejected is None and out is not None else rejected
    shown: list[Classified] = []
    show = _print_json if as_json else lambda rows: shown.extend(rows[: SHOWN - len(shown)])
    settings = classify_settings(precision)
    with ExitStack() as stack:
        huse = Huse.load(model, warn=warner("classify"))
        attributes = list(huse.attribute_values.heads)
        writer = nullcontext(show) if out is None else classified_writer(out, k, attributes)
        write = stack.enter_context(writer)
        refuse = _warn if listed is None else stack.enter_context(rejected_writer(listed))
        record = recorder(huse, table, log, logged_at)
        batches = read_rows(
            "classify",
            huse,
            table,
            images,
            image_column=image_column,
            text_column=text_column,
            separator_images=separator_images,
            encoding=encoding,
            delimiter=delimiter,
            sheet=sheet,
        )
        counts, states = classify_table(
            huse, batches, write, refuse, k=k, settings=settings, record=record
        )
        if not huse.filing.can_file(settings.precision, settings.confidence):
            warner("classify")(
                f"no validation items speak for a precision of {settings.precision:g}, so no item "
                "is filed: ask for less (--precision), or train with more of them (split.val)"
            )
    if shown:
        _print_table(shown, attributes)
    refuse_if_empty(counts.used, listed, table)
    used, rows = counted(counts.used, "item"), rejected_rows(counts.rejected, listed)
    what = ", ".join(f"{states[state]} {state}" for state in STATES if states[state])
    typer.echo(
        f"classify: {used}, {what} at a precision of {settings.precision:g}; {rows}",
        err=as_json,
    )


def classify_settings(precision: float | None = None) -> ClassifySettings:
    """Section `classify`, where there is a params.yaml, with what the user gave.

    Args:
        precision: What the user gave.

    Raises:
        InputError: The file cannot be read, or a value of it is wrong.
        BadParameter: The precision is out of range.
    """
    from pipeline.core.params import load_section
    from pipeline.decide.settings import ClassifySettings

    if PARAMS.is_file():
        usual = load_section(PARAMS, "classify", ClassifySettings)
    else:
        usual = ClassifySettings(precision=0.95, confidence=0.95, decide="probable", beta=1.0)
    if precision is None:
        return usual
    if not 0 < precision < 1:
        raise typer.BadParameter("between 0 and 1", param_hint="--precision")
    return usual.model_copy(update={"precision": precision})


def _print_json(rows: list[Classified]) -> None:
    for row in rows:
        typer.echo(json.dumps(row.as_json(), ensure_ascii=False))


def _print_table(rows: list[Classified], attributes: list[str]) -> None:
    from pipeline.features.attributes import show_value

    grid = Table("row", "item", "state", "filed", "most probable", "near", box=SIMPLE)
    if attributes:
        grid.add_column("attributes")
    for row in rows:
        item, prediction, nearness = row
        filed = "-" if row.filed is None else f"{row.filed.path}  {row.filed.probability:.2f}"
        top = "\n".join(f"{guess.probability:.2f}  {guess.path}" for guess in prediction.top)
        what = "\n".join(part for part in (shortened(item.text), item.image) if part)
        near = {True: "yes", False: "no", None: "-"}[nearness.near]
        cells = [what, row.state, filed, top, near]
        if attributes:
            said = prediction.attributes.items()
            cells.append(
                "\n".join(
                    f"{one.probability:.2f}  {name}: {show_value(one.value)}" for name, one in said
                )
            )
        grid.add_row(str(item.row), *(Text(cell) for cell in cells))
    console = Console()
    console.print(grid)
    if len(rows) == SHOWN:
        console.print(f"The first {SHOWN} items; --out writes them all.")


def _warn(rows: list[BadRow]) -> None:
    for row in rows:
        typer.echo(f"classify: row {row.row} rejected: {row.reason}", err=True)


if __name__ == "__main__":
    run(main)
