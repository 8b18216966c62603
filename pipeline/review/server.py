"""The page to decide findings on: one at a time, by key or by mouse."""

from collections.abc import Hashable
from typing import Annotated, Any, Literal

import fastapi
import pandas as pd
from fastapi.responses import HTMLResponse, RedirectResponse

from pipeline.audit.wording import TITLE_LENGTH
from pipeline.core.location import Location
from pipeline.review.session import Session
from pipeline.web.local_app import local_app, require_own_page
from pipeline.web.pages import in_words, open_page, serve_files

HOST = "127.0.0.1"
"""The page changes a file and asks nobody who they are, so it is for this machine alone."""
SIDE = 480
"""Length of the longer side of a served picture in pixels."""
MOST_CHARACTERS = 2000
"""Of a class path that is written by hand."""


def make_app(
    session: Session,
    items: pd.DataFrame,
    images: Location,
    *,
    separator: str,
    background: str,
    home: str | None = None,
) -> fastapi.FastAPI:
    """Put the server together.

    Args:
        session: What is decided.
        items: All items with `item_id`, `image`, `text` and `class_path`.
        images: The folder of the pictures.
        separator: What joins the parts of a class path.
        background: Colour under transparent pixels, `#rrggbb`.
        home: Address of the page that this one is a part of.
    """
    place_of = {item_id: place for place, item_id in enumerate(items["item_id"])}
    app = local_app(HOST, images, items["image"].tolist(), side=SIDE, background=background)
    serve_files(app, "pipeline.review")
    template = open_page(
        "pipeline.review", "review.html", {"in_words": lambda path: in_words(path, separator)}
    )
    from_the_page = [fastapi.Depends(require_own_page)]

    def card(item_id: str) -> dict[Hashable, Any]:
        place = place_of[item_id]
        return items.iloc[place][["image", "text", "class_path"]].to_dict() | {"place": place}

    @app.get("/")
    def page() -> HTMLResponse:
        place, finding = session.place, None
        if place < session.total:
            found = session.findings[place]
            finding = {
                "item": card(found.item_id),
                "suggested_path": found.suggested_path,
                "reasons": found.reasons,
                "evidence": [card(item_id) for item_id in found.evidence],
            }
        html = template.render(
            home=home,
            finding=finding,
            place=place,
            total=session.total,
            said=session.said,
            counts=session.counts,
            can_undo=session.can_undo,
            classes=session.classes,
            separator=separator,
            title_length=TITLE_LENGTH,
            most_characters=MOST_CHARACTERS,
        )
        return HTMLResponse(html)

    @app.post("/decide", dependencies=from_the_page)
    def decide(
        place: Annotated[int, fastapi.Form()],
        decision: Annotated[Literal["accept", "keep", "skip"], fastapi.Form()],
        other_path: Annotated[str, fastapi.Form(max_length=MOST_CHARACTERS)] = "",
    ) -> fastapi.Response:
        session.decide(place, decision, other_path)
        return RedirectResponse("./", status_code=303)

    @app.post("/undo", dependencies=from_the_page)
    def undo() -> fastapi.Response:
        session.undo()
        return RedirectResponse("./", status_code=303)

    return app
