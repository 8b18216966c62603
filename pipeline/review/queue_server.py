"""The page to label a queue on: one item at a time, by key or by mouse."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import fastapi

from pipeline.core.location import Location
from pipeline.drift.queue_file import QueueItem
from pipeline.pictures.folder import picture_inside
from pipeline.review.queue_session import LABEL, QueueSession
from pipeline.review.steps_page import (
    FROM_THE_PAGE,
    MOST_CHARACTERS,
    SIDE,
    back_to_page,
    steps_app,
)
from pipeline.web.pictures import Pictures


def make_queue_app(
    session: QueueSession, images: Location, *, separator: str, background: str
) -> fastapi.FastAPI:
    """Put the server together.

    Args:
        session: What is labelled.
        images: The folder of the pictures.
        separator: What joins the parts of a class path.
        background: Colour under transparent pixels, `#rrggbb`.
    """
    files = [one.image for one in session.items]
    pictures = Pictures(images, files, side=SIDE, background=background)

    def values(place: int | None) -> dict[str, Any]:
        item = None if place is None else session.items[place]
        is_there = place is not None and _is_there(images, files[place])
        return {
            "item": item,
            "picture": pictures.name(place) if place is not None and is_there else None,
            "folder": str(images),
            "reasons": [] if item is None else _reasons(item),
            "suggestions": [] if item is None else _suggestions(item),
            "classes": session.classes,
            "labelled": session.file.labelled,
            "label": LABEL,
        }

    app = steps_app(session, "queue.html", values, pictures, separator=separator)

    @app.post("/decide", dependencies=FROM_THE_PAGE)
    def decide(
        place: Annotated[int, fastapi.Form()],
        decision: Annotated[Literal["label", "none", "skip"], fastapi.Form()],
        class_path: Annotated[str, fastapi.Form(max_length=MOST_CHARACTERS)] = "",
    ) -> fastapi.Response:
        session.decide(place, decision, class_path)
        return back_to_page()

    return app


def _is_there(images: Location, name: str) -> bool:
    """Whether a picture can be shown: an item may have come with another folder."""
    found = picture_inside(images, name) if name else None
    return found is not None and found.exists()


def _reasons(item: QueueItem) -> Sequence[str]:
    """Say why the item is asked about."""
    reasons = ["Nothing in the catalogue is near to it."] * item.is_far
    if item.like_it not in ("", "1"):
        reasons.append(f"It stands for {item.like_it} items that are like it.")
    if item.source:
        reasons.append(f"From {item.source}.")
    return reasons


def _suggestions(item: QueueItem) -> Sequence[dict[str, Any]]:
    """Number the suggestions, as keys take them."""
    return [
        {"key": str(number), "path": path, "probability": probability}
        for number, (path, probability) in enumerate(item.suggestions, start=1)
    ]
