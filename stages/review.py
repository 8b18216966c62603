"""Findings of the audit -> a local page to decide them on."""

from pathlib import Path
from typing import Annotated

import typer

from stages.command import ItemsPath, ParamsPath, counted, from_extra, require_folder, run
from stages.paths import AUDIT, ITEMS, PARAMS


def main(
    params: ParamsPath = PARAMS,
    items: ItemsPath = ITEMS,
    findings: Annotated[Path, typer.Option(help="Folder of the audit's files.")] = AUDIT,
    images: Annotated[
        str | None,
        typer.Option(help="Folder of the pictures or its URI; if not given, catalog.images."),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the page.")] = 7861,
) -> None:
    """Open a local page to accept, keep or skip what the audit suggests, by keyboard."""
    from pipeline.audit.decisions import read_decisions
    from pipeline.catalog.settings import CatalogSettings
    from pipeline.core.params import load_section, read_value
    from pipeline.core.table import read_table
    from pipeline.review.findings import read_findings, undecided
    from pipeline.review.session import Session

    with from_extra("review", "explore"):
        from pipeline.review.server import HOST, in_words, make_app
        from pipeline.web.local_app import serve

    p = load_section(params, "catalog", CatalogSettings)
    decided = Path(read_value(params, "audit.decisions"))
    decisions = read_decisions(decided)
    folder = require_folder("catalog.images", images or p.images)
    every = read_table(items, ["item_id", "image", "text", "class_path"])
    path_of = dict(zip(every["item_id"], every["class_path"], strict=True))
    found = read_findings(findings, path_of, lambda path: in_words(path, p.separator))
    left = undecided(found, decisions, every)
    app = make_app(
        Session(left, path_of, decided, p.separator),
        every,
        folder,
        separator=p.separator,
        background=read_value(params, "image.background"),
    )
    typer.echo(
        f"review: {counted(len(left), 'item')} to decide at http://{HOST}:{port} until Ctrl-C; "
        f"decisions go to {decided}"
    )
    serve(app, HOST, port)


if __name__ == "__main__":
    run(main)
