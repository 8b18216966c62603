"""A table with URLs of pictures -> the pictures, and a copy of the table with their names."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.core.counted import counted
from pipeline.core.errors import InputError
from stages.command import (
    ParamsPath,
    TableSheet,
    beside,
    rejected_rows,
    run,
)
from stages.paths import PARAMS


def main(
    table: Annotated[
        Path | None,
        typer.Argument(help="The table; if not given, catalog.path.", show_default=False),
    ] = None,
    params: ParamsPath = PARAMS,
    column: Annotated[
        str | None, typer.Option(help="Column of URLs; if not given, catalog.columns.image.")
    ] = None,
    images: Annotated[
        str | None,
        typer.Option(help="Folder to download to, made if need be; if not given, catalog.images."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The copy with names in place of URLs; if not given, beside the table, with "
            "_fetched in its name; of an Excel file it is CSV."
        ),
    ] = None,
    rejected: Annotated[
        Path | None,
        typer.Option(help="Where to list what could not be had; if not given, beside the copy."),
    ] = None,
    sheet: TableSheet = None,
    connections: Annotated[
        int, typer.Option(min=1, max=8, help="Connections to one host at a time.")
    ] = 2,
    megabytes: Annotated[
        float, typer.Option(min=0.001, max=1000.0, help="A larger picture is refused.")
    ] = 20.0,
    seconds: Annotated[
        float, typer.Option(min=1.0, help="A picture that takes longer is given up.")
    ] = 60.0,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Ask hosts of this machine's own network too.")
    ] = False,
) -> None:
    """Download the pictures that a table names by URL; those that are there are not asked for."""
    from pipeline.catalog.read import open_rows
    from pipeline.catalog.rewrite import name_copy, rewrite_table
    from pipeline.catalog.rows import Source
    from pipeline.catalog.settings import CatalogSettings
    from pipeline.core.csv_file import csv_writer
    from pipeline.core.location import locate
    from pipeline.core.params import load_section
    from pipeline.fetch.addresses import is_public
    from pipeline.fetch.download import Manners
    from pipeline.fetch.pictures import fetch_pictures, first_url

    p = load_section(params, "catalog", CatalogSettings)
    source = Path(p.path) if table is None else table
    form = p.form if table is None else p.form._replace(sheet=None, delimiter="auto")
    form = form._replace(sheet=sheet or form.sheet)
    name = column or p.columns.image
    folder = locate(images or p.images, "--images")
    if not isinstance(folder, Path):
        raise InputError(f"--images: {folder}: pictures are downloaded to a folder of this machine")
    copy = out or name_copy(source, "fetched")
    listed = rejected or beside(copy)
    url_of = {
        row.number: url
        for row in open_rows(source, {"image": name}, Source("table", "--column"), form)
        if (url := first_url(row.values[0]))
    }
    if not url_of:
        raise InputError(f"--column: no URL in column {name!r} of {source}")
    manners = Manners(
        connections,
        int(megabytes * 2**20),
        seconds,
        (lambda address: True) if allow_private else is_public,
    )
    found = fetch_pictures(url_of.values(), folder, manners)
    named = {row: found.name_of[url] for row, url in url_of.items() if url in found.name_of}
    rewrite_table(source, copy, name, named, form)
    with csv_writer(listed, ("row", "url", "reason")) as write:
        write(
            (row, url, found.reason_of[url])
            for row, url in url_of.items()
            if url not in found.name_of
        )
    typer.echo(
        f"fetch_pictures: {len(named)} of {counted(len(url_of), 'row')} with a URL now name a "
        f"picture in {folder} ({counted(found.downloaded, 'picture')} downloaded, "
        f"{len(found.name_of) - found.downloaded} there before); "
        f"{rejected_rows(len(url_of) - len(named), listed)}; set catalog.path to "
        f"{copy}"
    )
    if not named:
        raise InputError(f"fetch_pictures: no picture could be had; the reasons are in {listed}")


if __name__ == "__main__":
    run(main)
