"""The page to decide findings on: one at a time, by key or by mouse."""

from collections.abc import Hashable
from typing import Annotated, Any, Literal

import fastapi
import pandas as pd

from pipeline.audit.wording import TITLE_LENGTH
from pipeline.core.location import Location
from pipeline.review.session import Session
from pipeline.review.steps_page import (
    FROM_THE_PAGE,
    MOST_CHARACTERS,
    SIDE,
    back_to_page,
    steps_app,
)
from pipeline.web.pictures import Pictures


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
    pictures = Pictures(images, items["image"].tolist(), side=SIDE, background=background)
    place_of = {item_id: place for place, item_id in enumerate(items["item_id"])}

    def card(item_id: str) -> dict[Hashable, Any]:
        place = place_of[item_id]
        shown = items.iloc[place][["image", "text", "class_path"]].to_dict()
        return shown | {"picture": pictures.name(place)}

    def values(place: int | None) -> dict[str, Any]:
        finding = None
        if place is not None:
            found = session.findings[place]
            finding = {
                "item": card(found.item_id),
                "suggested_path": found.suggested_path,
                "reasons": found.reasons,
                "evidence": [card(item_id) for item_id in found.evidence],
            }
        return {
            "home": home,
            "finding": finding,
            "classes": session.classes,
            "title_length": TITLE_LENGTH,
        }

    app = steps_app(session, "review.html", values, pictures, separator=separator)

    @app.post("/decide", dependencies=FROM_THE_PAGE)
    def decide(
        place: Annotated[int, fastapi.Form()],
        decision: Annotated[Literal["accept", "keep", "skip"], fastapi.Form()],
        other_path: Annotated[str, fastapi.Form(max_length=MOST_CHARACTERS)] = "",
    ) -> fastapi.Response:
        session.decide(place, decision, other_path)
        return back_to_page()

    return app
