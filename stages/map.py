"""Own classes -> the nearest nodes of another class tree, as a table to edit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.core.counted import counted
from pipeline.core.errors import InputError
from stages.command import ItemsPath, ModelPath, TextFeaturesPath, run, warner
from stages.paths import ITEMS, MODEL, TEXT_FEATURES

if TYPE_CHECKING:
    from pipeline.use.mapping_file import Row

SHOWN = 50
"""Rows of the table on a terminal."""


def main(
    to: Annotated[
        Path,
        typer.Option(
            help="The other tree: Google's or Shopify's list of categories, or class paths, one a "
            "line.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="CSV file to edit; if not given, the terminal.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON Lines in place of a table.")
    ] = False,
    keep: Annotated[
        Path | None,
        typer.Option(help="An earlier table; its rows with `keep` in column `decision` stay."),
    ] = None,
    k: Annotated[int, typer.Option(min=1, help="Nodes to name per class.")] = 5,
    separator: Annotated[
        str | None,
        typer.Option(
            help="What joins the parts in a plain list; if not given, > or catalog.separator."
        ),
    ] = None,
    model: ModelPath = MODEL,
    items: ItemsPath = ITEMS,
    text_features: TextFeaturesPath = TEXT_FEATURES,
) -> None:
    """Propose nodes of another class tree for the own classes, by their names and titles."""
    from pipeline.use.class_mapping import JOINED, map_classes
    from pipeline.use.mapping_file import make_row, read_kept, refuse_to_overwrite, write_mapping
    from pipeline.use.own_tree import read_catalogue
    from pipeline.use.taxonomy_file import read_taxonomy

    if separator is not None and not separator:
        raise InputError("--separator: is empty; name what joins the parts")
    if out is not None:
        if out.suffix != ".csv":
            raise InputError(f"--out: {out} does not end in .csv; --json prints JSON Lines")
        refuse_to_overwrite(out, keep)
    catalogue = read_catalogue(model, items, text_features)
    own = catalogue.tree
    other = read_taxonomy(to, catalogue.separator, separator)
    kept = {} if keep is None else read_kept(keep, own, other, catalogue.separator)
    if not catalogue.knows_any_word:
        warner("map")(
            "the model's text encoders know the words of the catalogue alone, so many names of the "
            "other tree say nothing to them; add sentence to text.encoders and train again"
        )
    rows = (
        make_row(
            mapped,
            catalogue.separator,
            JOINED.join(other.paths[kept[mapped.parts]]) if mapped.parts in kept else None,
        )
        for mapped in map_classes(own, other, catalogue.encode, k=k, wanted=kept)
    )
    if out is not None:
        write_mapping(out, rows, k)
    elif as_json:
        for row in rows:
            typer.echo(json.dumps(row.as_json(), ensure_ascii=False))
    else:
        _print_table([row for row, _ in zip(rows, range(SHOWN), strict=False)])
    done = f"map: {counted(len(own.nodes), 'node')} to {len(other.paths)} of {to}"
    stayed = f"; {counted(len(kept), 'row')} kept" if keep is not None else ""
    typer.echo(f"{done}{stayed}{'' if out is None else f', see {out}'}", err=as_json)


def _print_table(rows: list[Row]) -> None:
    grid = Table("class", "items", "confidence", "nearest", "then", box=SIMPLE)
    for row in rows:
        then = row.others[0].path if row.others else ""
        cells = (f"{row.chosen.confidence:.2f}", row.chosen.path, then)
        grid.add_row(Text(row.class_path), str(row.items), *(Text(cell) for cell in cells))
    console = Console()
    console.print(grid)
    if len(rows) == SHOWN:
        console.print(f"The first {SHOWN} nodes; --out writes them all.")


if __name__ == "__main__":
    run(main)
