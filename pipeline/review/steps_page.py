"""What pages to decide on have in common: one thing at a time, and a step back."""

from collections.abc import Callable
from typing import Any

import fastapi
from fastapi.responses import HTMLResponse, RedirectResponse

from pipeline.review.steps import Steps
from pipeline.web.local_app import local_app, require_own_page
from pipeline.web.pages import in_words, open_page, serve_files
from pipeline.web.pictures import Pictures

HOST = "127.0.0.1"
"""The page changes a file and asks nobody who they are, so it is for this machine alone."""
SIDE = 480
"""Length of the longer side of a served picture in pixels."""
MOST_CHARACTERS = 2000
"""Of a class path that is written by hand."""
FROM_THE_PAGE = [fastapi.Depends(require_own_page)]
"""What a route that changes something depends on."""


def steps_app(
    session: Steps,
    template: str,
    values: Callable[[int | None], dict[str, Any]],
    pictures: Pictures,
    *,
    separator: str,
) -> fastapi.FastAPI:
    """Put together all of a page's server but the route that decides.

    Args:
        session: What is decided.
        template: Name of the page's file in this room.
        values: What it names beside the steps, by the place that is shown; None after the last.
        pictures: Those that the page shows.
        separator: What joins the parts of a class path.
    """
    app = local_app(HOST, lambda: [pictures])
    serve_files(app, "pipeline.review")
    page = open_page(
        "pipeline.review", template, {"in_words": lambda path: in_words(path, separator)}
    )

    @app.get("/")
    def show() -> HTMLResponse:
        place = session.place
        html = page.render(
            place=place,
            total=session.total,
            said=session.said,
            counts=session.counts,
            can_undo=session.can_undo,
            separator=separator,
            most_characters=MOST_CHARACTERS,
            **values(place if place < session.total else None),
        )
        return HTMLResponse(html)

    @app.post("/undo", dependencies=FROM_THE_PAGE)
    def undo() -> fastapi.Response:
        session.undo()
        return back_to_page()

    return app


def back_to_page() -> fastapi.Response:
    """Answer a form with the page, so that loading it again sends nothing twice."""
    return RedirectResponse("./", status_code=303)
