"""What was served, beside the catalogue; and what to label next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from pipeline.core.counted import counted
from stages.command import (
    ClassesPath,
    GroupsPath,
    ImageFeaturesPath,
    IndexPath,
    ItemsPath,
    ModelPath,
    SplitsPath,
    TextFeaturesPath,
    run,
    warner,
)
from stages.new_items import usual_columns
from stages.paths import (
    CLASSES,
    DRIFT,
    DRIFT_LOG,
    GROUPS,
    IMAGE_FEATURES,
    INDEX,
    ITEMS,
    MODEL,
    SPLITS,
    TEXT_FEATURES,
)

if TYPE_CHECKING:
    from pipeline.drift.report import Row

FEW_ITEMS = 200
"""Held-out items below which how they happen to be divided shows in every limit."""


def main(
    log: Annotated[
        Path, typer.Option(help="Folder that huse classify --log and huse embed --log wrote to.")
    ] = DRIFT_LOG,
    by: Annotated[
        Literal["day", "week", "month"], typer.Option(help="What is compared as one, in UTC.")
    ] = "week",
    level: Annotated[
        float,
        typer.Option(
            min=0.005,
            max=0.5,
            help="Share of the periods that are named by chance, if all are like the catalogue.",
        ),
    ] = 0.01,
    out: Annotated[Path, typer.Option(help="Folder to write the table and the page to.")] = DRIFT,
    queue: Annotated[
        int,
        typer.Option(
            min=0,
            help="How many items to queue for labelling, in queue.csv there; see huse review.",
        ),
    ] = 0,
    items: ItemsPath = ITEMS,
    splits: SplitsPath = SPLITS,
    groups: GroupsPath = GROUPS,
    classes: ClassesPath = CLASSES,
    image_features: ImageFeaturesPath = IMAGE_FEATURES,
    text_features: TextFeaturesPath = TEXT_FEATURES,
    index: IndexPath = INDEX,
    model: ModelPath = MODEL,
) -> None:
    """Compare what was served with the catalogue, week by week, and queue what to label next."""
    from pipeline.core.errors import InputError
    from pipeline.drift.baseline import make_baseline
    from pipeline.drift.batch_log import read_log
    from pipeline.drift.compare import compare
    from pipeline.drift.label_queue import choose_queue, queue_rows
    from pipeline.drift.periods import gather
    from pipeline.drift.queue_file import QueueFile, item_name
    from pipeline.drift.report import Row, write_report
    from pipeline.use.api import Huse

    file = QueueFile.named(out / "queue.csv", usual_columns())
    decided = {item_name(one.image, one.text) for one in file.decided()} if queue else set()
    huse = Huse.load(model, index, warn=warner("drift"))
    found = gather(read_log(log, huse.description.digest), by)
    if not found.periods:
        raise InputError(f"{log}: all of it is of other models than {model}; record anew")
    if found.others:
        files = counted(found.others, "file")
        warner("drift")(f"{log}: {files} of another model than {model} left out")
    baseline = make_baseline(
        huse,
        model,
        index,
        items=items,
        splits=splits,
        groups=groups,
        classes=classes,
        image_features=image_features,
        text_features=text_features,
    )
    if len(baseline.paths) < FEW_ITEMS:
        warner("drift")(
            f"{len(baseline.paths)} validation and test items say what is usual, fewer than "
            f"{FEW_ITEMS}: the limits are rough, and more periods may be named by chance"
        )
    rows = [Row(period, compare(period, baseline, level)) for period in found.periods]
    write_report(out, rows, level=level, by=by)
    _print_table(rows, by)
    if queue:
        open_ones = [
            one for one in found.candidates if item_name(one.image, one.text) not in decided
        ]
        number = file.renew(queue_rows(choose_queue(open_ones, queue)))
        behind = f", behind {counted(len(decided), 'row')} that are decided" if decided else ""
        typer.echo(f"drift: {counted(number, 'item')} to label in {file.path}{behind}")
    named = "; ".join(f"{row.period.name} ({', '.join(row.beyond)})" for row in rows if row.beyond)
    typer.echo(
        f"drift: {counted(len(rows), by)}, beyond what as many items of the catalogue show, at a "
        f"level of {level:g}: {named or 'none'}; see {out / 'report.html'}"
    )


def _print_table(rows: list[Row], by: str) -> None:
    from pipeline.drift.compare import FIGURES

    grid = Table(by, "items", *FIGURES, box=SIMPLE)
    for row in rows:
        cell_of = {
            one.figure: f"{one.value:.3f}{'!' * one.beyond}\n{_usual(one.figure, one.limit)}"
            for one in row.figures
        }
        cells = (cell_of.get(name, "-") for name in FIGURES)
        grid.add_row(row.period.name, str(row.period.items), *cells)
    Console().print(grid)


def _usual(figure: str, limit: float) -> str:
    return f"from {limit:.3f}" if figure == "probability" else f"to {limit:.3f}"


if __name__ == "__main__":
    run(main)
