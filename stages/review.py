"""Findings of the audit, or a queue of what to label -> a local page to decide them on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.core.counted import counted
from stages.command import ItemsPath, ParamsPath, from_extra, require_folder, run
from stages.paths import AUDIT, ITEMS, PARAMS

if TYPE_CHECKING:
    import fastapi

    from pipeline.core.location import Location
    from pipeline.review.queue_session import QueueSession
    from pipeline.review.session import Session
    from pipeline.review.steps import Steps


def main(
    params: ParamsPath = PARAMS,
    items: ItemsPath = ITEMS,
    findings: Annotated[Path, typer.Option(help="Folder of the audit's files.")] = AUDIT,
    queue: Annotated[
        Path | None,
        typer.Option(
            help="Label this file of huse drift --queue instead, such as data/drift/queue.csv."
        ),
    ] = None,
    images: Annotated[
        str | None,
        typer.Option(help="Folder of the pictures or its URI; if not given, catalog.images."),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the page.")] = 7861,
) -> None:
    """Open a local page to decide what the audit suggests, or to label a queue, by keyboard."""
    from pipeline.core.params import read_value

    with from_extra("review", "explore"):
        from pipeline.review.steps_page import HOST
        from pipeline.web.local_app import serve

    folder = require_folder("catalog.images", images or read_value(params, "catalog.images"))
    session: Steps
    if queue is None:
        app, session = make_page(params, items, findings, folder)
        what, into = "decide", f"decisions go to {session.decisions}"
    else:
        app, session = make_queue_page(params, items, queue, folder)
        what, into = "label", f"classes go to {queue}, labelled rows to {session.file.labelled} too"
    typer.echo(
        f"review: {counted(session.left, 'item')} to {what} at http://{HOST}:{port} until Ctrl-C; "
        f"{into}"
    )
    serve(app, HOST, port)


def make_page(
    params: Path, items: Path, findings: Path, images: Location, home: str | None = None
) -> tuple[fastapi.FastAPI, Session]:
    """Read what is to be decided, and make the page for it.

    Args:
        params: The parameters.
        items: Items that the catalog stage wrote.
        findings: Folder of the audit's files.
        images: Folder of the pictures.
        home: Address of the page that this one is a part of.

    Returns:
        The page's server, and where somebody is in the findings.

    Raises:
        InputError: A file is missing or damaged, or findings are those of another catalogue.
    """
    from pipeline.audit.decisions import read_decisions
    from pipeline.core.params import read_value
    from pipeline.core.table import read_table
    from pipeline.review.findings import read_findings, undecided
    from pipeline.review.server import make_app
    from pipeline.review.session import Session
    from pipeline.web.pages import in_words

    separator = read_value(params, "catalog.separator")
    decided = Path(read_value(params, "audit.decisions"))
    decisions = read_decisions(decided)
    every = read_table(items, ["item_id", "image", "text", "class_path"])
    path_of = dict(zip(every["item_id"], every["class_path"], strict=True))
    found = read_findings(findings, path_of, lambda path: in_words(path, separator))
    session = Session(undecided(found, decisions, every), path_of, decided, separator)
    app = make_app(
        session,
        every,
        images,
        separator=separator,
        background=read_value(params, "image.background"),
        home=home,
    )
    return app, session


def make_queue_page(
    params: Path, items: Path, queue: Path, images: Location
) -> tuple[fastapi.FastAPI, QueueSession]:
    """Read what is to be labelled, and make the page for it.

    Args:
        params: The parameters.
        items: Items that the catalog stage wrote, whose classes there are.
        queue: File of `huse drift --queue`.
        images: Folder of the pictures.

    Returns:
        The page's server, and where somebody is in the queue.

    Raises:
        InputError: A file is missing or damaged.
    """
    from pipeline.core.params import read_value
    from pipeline.core.table import read_table
    from pipeline.drift.queue_file import QueueFile
    from pipeline.review.queue_server import make_queue_app
    from pipeline.review.queue_session import QueueSession

    separator = read_value(params, "catalog.separator")
    roles = ("image", "text", "classes")
    usual = {role: read_value(params, f"catalog.columns.{role}") for role in roles}
    classes = read_table(items, ["class_path"])["class_path"].tolist()
    session = QueueSession(QueueFile.named(queue, usual), classes, separator)
    background = read_value(params, "image.background")
    return make_queue_app(session, images, separator=separator, background=background), session


if __name__ == "__main__":
    run(main)
