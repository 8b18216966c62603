"""Accepted suggestions of the audit -> a corrected copy of the user's table."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.core.counted import counted
from stages.command import ParamsPath, run, warner
from stages.dvc_cache import tracked_contents
from stages.paths import PARAMS


def main(
    fixes: Annotated[
        Path | None,
        typer.Argument(
            help="The audit's items.csv, titles.csv or pairs.csv with a column `decision`: accept, "
            "keep or skip; if not given, audit.decisions, which `huse review` writes.",
            show_default=False,
        ),
    ] = None,
    params: ParamsPath = PARAMS,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The corrected copy; if not given, beside the table, with _refiled in its name; "
            "of an Excel file it is CSV."
        ),
    ] = None,
) -> None:
    """Write a copy of the catalogue with accepted suggestions, and a log of what was changed."""
    from pipeline.catalog.rewrite import name_copy
    from pipeline.catalog.settings import CatalogSettings
    from pipeline.core.location import locate
    from pipeline.core.params import load_section, read_value
    from pipeline.pictures.folder import open_images
    from pipeline.use.refile import read_fixes, refile

    p = load_section(params, "catalog", CatalogSettings)
    decided = Path(read_value(params, "audit.decisions")) if fixes is None else fixes
    path_of = read_fixes(decided, p.separator)
    folder = open_images(locate(p.images, "catalog.images"), tracked_contents())
    table = Path(p.path)
    copy = name_copy(table, "refiled") if out is None else out
    log = copy.with_name(f"{copy.name.split('.')[0]}_log.csv")
    done = refile(p, folder, path_of, copy, log)
    if done.unknown:
        warner("refile")(
            f"{counted(len(done.unknown), 'item')} of {decided} not in the catalogue any more "
            f"(refiled before, or gone), such as {done.unknown[0]}"
        )
    typer.echo(
        f"refile: {counted(done.rows, 'row')} of {table} changed in {copy}, listed in {log}; set "
        "catalog.path to the copy to train on it"
    )


if __name__ == "__main__":
    run(main)
