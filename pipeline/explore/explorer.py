"""What the page does; knows the model and the catalogue, and nothing of Gradio."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.errors import InputError
from pipeline.explore.cards import show_hits, show_note
from pipeline.explore.facets import make_facets, write_where
from pipeline.explore.upload import check_upload
from pipeline.use.api import Huse

MOST_POINTS = 3000
"""Points of the map: more overlap, and slow the browser down."""
EVERYTHING = "all classes"
START = "Type a text, drop a picture, or both."


class Explorer:
    """Answers what is asked on the page, in HTML."""

    def __init__(self, model: Huse) -> None:
        """Read the catalogue."""
        self.model = model
        self.separator = model.index.description["separator"]
        self.facets = make_facets(model.index.attributes)

    def search(
        self, text: str | None, picture: str | None, within: str, k: int, *filters: Any
    ) -> str:
        """Answer a search by what was typed, and by the file that was dropped, in HTML.

        `filters` are an expression and what was chosen of the facets, see `write_where`.
        """
        text = (text or "").strip() or None
        try:
            where = self._where(filters)
            if picture is not None:
                check_upload(Path(picture))
            elif text is None:
                return show_note(START)
            found = self.model.embed([picture], [text])
            hits = self.model.search(found, int(k), self._filter(within), where=where)[0]
            warning = self.model.near(found)[0].warning()
        except InputError as error:
            return show_note(str(error) if picture is None else _without_path(str(error), picture))
        words = "your picture" if picture else ""
        asked = " and ".join(
            part for part in (f"\u201c{text}\u201d" if text else "", words) if part
        )
        above = show_note(f"{warning[0].upper()}{warning[1:]}.") if warning else ""
        return above + show_hits(hits, f"Nearest to {asked}{_told(where)}", self.separator)

    def more_like(self, row: int, within: str, k: int, *filters: Any) -> str:
        """Answer a click on "More like this" at an item's place in the index."""
        items = self.model.index.items
        if not 0 <= row < len(items):
            return show_note("There is no such item.")
        try:
            where = self._where(filters)
            hits = self.model.index.similar(row, int(k), self._filter(within), where)
        except InputError as error:
            return show_note(str(error))
        text = items["text"].iloc[row]
        named = f"\u201c{text}\u201d" if text else "this picture"
        return show_hits(hits, f"More like {named}{_told(where)}", self.separator)

    def classes(self) -> list[str]:
        """What can be filtered by: EVERYTHING, then every beginning of a class path, sorted."""
        paths = [
            path.split(self.separator) for path in self.model.index.items["class_path"].unique()
        ]
        nodes = {
            self.separator.join(path[:depth]) for path in paths for depth in range(1, len(path) + 1)
        }
        return [EVERYTHING, *sorted(nodes)]

    def points(self) -> pd.DataFrame:
        """At most MOST_POINTS points: x, y, class (the most general part), text and path."""
        items = self.model.index.items
        rows = np.unique(np.linspace(0, len(items) - 1, MOST_POINTS).astype(int))
        shown = items.iloc[rows].rename(columns={"class_path": "path"})
        shown["class"] = [path.split(self.separator)[0] for path in shown["path"]]
        return shown[["x", "y", "class", "text", "path"]]

    def _filter(self, within: str) -> str | None:
        return None if within == EVERYTHING else within

    def _where(self, filters: Sequence[Any]) -> str | None:
        return write_where(self.facets, filters[0] or "", filters[1:]) if filters else None


def _told(where: str | None) -> str:
    """Say what was chosen, as `huse search --where` has it."""
    return "" if where is None else f", where {where}"


def _without_path(message: str, picture: str) -> str:
    """Where an upload is kept is nobody's business."""
    return message.replace(picture, "your picture").removeprefix("item 0: ")
