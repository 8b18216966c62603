"""Model and index -> a local web page."""

from typing import Annotated

import typer

from stages.command import IndexPath, ModelPath, ParamsPath, from_extra, require_folder, run, warner
from stages.paths import INDEX, MODEL, PARAMS


def main(
    params: ParamsPath = PARAMS,
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
    """Open a local web page to search the catalogue by text and picture."""
    from pipeline.catalog.settings import CatalogSettings
    from pipeline.core.params import load_section
    from pipeline.use.api import Huse

    with from_extra("explore", "explore"):
        from pipeline.explore.server import make_app
        from pipeline.web.local_app import serve

    catalogue = images or load_section(params, "catalog", CatalogSettings).images
    folder = require_folder("catalog.images", catalogue)
    app = make_app(Huse.load(model, index, warn=warner("explore")), folder, host)
    typer.echo(f"explore: http://{host}:{port} until Ctrl-C")
    serve(app, host, port)


if __name__ == "__main__":
    run(main)
