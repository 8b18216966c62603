"""Model and index -> a local web page."""

from pathlib import Path
from typing import Annotated

import typer

from stages.command import IndexPath, ModelPath, ParamsPath, from_extra, require_folder, run, warner
from stages.paths import AUDIT, INDEX, ITEMS, MODEL, PARAMS


def main(
    params: ParamsPath = PARAMS,
    against: Annotated[
        Path | None,
        typer.Option(
            help="Folder with model/ and index/ of another experiment or project, to compare with; "
            "its pictures are looked for in the same folder."
        ),
    ] = None,
    images: Annotated[
        str | None,
        typer.Option(help="Folder of the pictures or its URI; if not given, catalog.images."),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to bind to; 0.0.0.0 lets the whole network in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the page.")] = 7860,
    model: ModelPath = MODEL,
    index: IndexPath = INDEX,
) -> None:
    """Open a local web page to search the catalogue by text and picture, and to compare models."""
    from pipeline.core.errors import InputError
    from pipeline.core.params import read_value
    from pipeline.use.current import Stored
    from stages.review import make_page

    with from_extra("explore", "explore"):
        from pipeline.explore.server import make_app
        from pipeline.web.local_app import is_loopback, serve

    folder = require_folder("catalog.images", images or read_value(params, "catalog.images"))
    warn = warner("explore")
    models = {str(model): Stored(model, index)}
    if against is not None:
        if against.resolve() == model.parent.resolve():
            raise InputError(f"explore: --against: {against} is the folder of {model} itself")
        models[str(against / "model")] = Stored(against / "model", against / "index")
    review = None
    # Its page changes a file and asks nobody who they are.
    if (AUDIT / "items.csv").is_file() and is_loopback(host):
        try:
            review = make_page(params, ITEMS, AUDIT, folder, home="../")
        except InputError as error:
            warn(f"no review: {error}")
    if review is not None and review[1].left:
        page, session = review
        app = make_app(models, folder, host, lambda: session.left, warn=warn)
        app.mount("/review", page)
    else:
        app = make_app(models, folder, host, warn=warn)
    typer.echo(f"explore: http://{host}:{port} until Ctrl-C")
    serve(app, host, port)


if __name__ == "__main__":
    run(main)
