"""What the page answers; knows the model and the catalogue, and nothing of HTML.

Shape letters: N items.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from pipeline.core.errors import InputError
from pipeline.core.once import once
from pipeline.explore.class_menu import ClassLink, ClassMenu
from pipeline.explore.facets import Box, Facet, make_boxes, make_facets, taken, without, write_where
from pipeline.explore.query import Filters, Query
from pipeline.explore.space_map import SpaceMap
from pipeline.index.hit import Hit
from pipeline.use.api import Huse

MASKS = 16
"""Which items some filters leave, kept for so many of them: a byte per item each."""


@dataclass(frozen=True)
class Answer:
    """What was found, or why nothing."""

    heading: str = ""
    hits: Sequence[Hit] = ()
    is_ranked: bool = True
    """Whether hits are near to something; else they are in the catalogue's order."""
    matching: int = 0
    """How many items the filters leave."""
    where: str | None = None
    """What was chosen of the attributes, as `huse search --where` has it."""
    warning: str | None = None
    error: str | None = None

    @property
    def found(self) -> str:
        """How many items are shown, and of how many."""
        return f"{len(self.hits)} of {self.matching:,} items"

    @property
    def summary(self) -> str:
        """One line."""
        return self.error or f"{self.heading}: {self.found}"


class FacetMenu(NamedTuple):
    """What is shown of an attribute."""

    facet: Facet
    boxes: list[Box]
    """Empty for numbers, dates and times."""


class Explorer:
    """Answers what is asked on the page."""

    def __init__(self, model: Huse) -> None:
        """Read the catalogue."""
        self.model = model
        self.index = model.index
        self.separator = self.index.description["separator"]
        rows = self.index.rows
        self.facets = make_facets(self.index.attributes.take(pa.array(rows)))
        class_paths = self.index.items["class_path"].tolist()
        self.classes = ClassMenu(class_paths, self.separator, rows, self.index.likely_rows)
        self.usual_mode = self.index.description.get("words", {}).get("mode")
        """What a text is searched by if nothing else is asked for; None: the index has no words."""
        # Of one query the same items are asked for several times.
        self._inside = lru_cache(MASKS)(self._find_inside)
        # A call keeps all cores busy by itself, and not every tokenizer is made for threads.
        self._lock = Lock()

    @once
    def space(self) -> SpaceMap:
        """The items as points."""
        return SpaceMap(self.index.items, self.separator, self.index.rows)

    def answer(self, query: Query, picture: Image.Image | None = None) -> Answer:
        """Answer a query by its text and the picture, by its item, or by its filters alone."""
        try:
            query.check()
            where = write_where(self.facets, query.where, query.filters)
            within = query.within or None
            inside_N = self._inside(within, where)
            heading, hits, warning = self._find(query, picture, within, where, inside_N)
        except InputError as error:
            return Answer(error=_without_place(str(error), picture))
        return Answer(
            heading,
            hits,
            is_ranked=bool(query.text or query.like or picture),
            matching=len(self.index) if inside_N is None else int(inside_N.sum()),
            where=where,
            warning=f"{warning[0].upper()}{warning[1:]}." if warning else None,
        )

    def _find(
        self,
        query: Query,
        picture: Image.Image | None,
        within: str | None,
        where: str | None,
        inside_N: np.ndarray | None,
    ) -> tuple[str, Sequence[Hit], str | None]:
        """Heading, hits and a warning."""
        if query.text or picture is not None:
            with self._lock:
                found = self.model.embed([picture], [query.text or None])
                warning = self.model.near(found)[0].warning()
            hits = self.model.search(found, query.k, within, query.mode, where)[0]
            asked = [f"\u201c{query.text}\u201d"] if query.text else []
            asked += ["your picture"] if picture is not None else []
            return f"Nearest to {' and '.join(asked)}", hits, warning
        if query.like:
            row = self.row(query.like)
            return (
                f"More like {self.title(row)}",
                self.index.similar(row, query.k, within, where),
                None,
            )
        heading = "The catalogue" if within is None and where is None else "All that match"
        rows = self.index.rows if inside_N is None else np.flatnonzero(inside_N)
        return heading, [self._hit(row) for row in rows[: query.k].tolist()], None

    def row(self, item_id: str) -> int:
        """Find an item's place in the index.

        Raises:
            InputError: It is not in this catalogue.
        """
        named = pc.equal(self.index.table["item_id"], item_id)
        rows = np.intersect1d(pc.indices_nonzero(named).to_numpy(), self.index.rows)
        if not len(rows):
            raise InputError(f"There is no item {item_id} in this catalogue.")
        return int(rows[0])

    def title(self, row: int) -> str:
        """Name an item."""
        text = self.index.items["text"].iloc[row]
        return f"\u201c{text}\u201d" if text else "an item without a text"

    def facet_menus(self, query: Query) -> list[FacetMenu]:
        """Say what can be chosen of the attributes, with how many items each choice leaves."""
        menus = []
        for facet in self.facets:
            boxes = []
            if facet.values:
                others = without(facet, query.filters)
                inside_N = self._left(query.within, query.where, others)
                values = taken(self.index.attributes, facet.name, inside_N)
                boxes = make_boxes(facet, values, query.filters)
            menus.append(FacetMenu(facet, boxes))
        return menus

    def classes_below(self, query: Query) -> list[ClassLink]:
        """Say which classes are below the chosen one, with how many items."""
        return self.classes.below(query.within, self._left("", query.where, query.filters))

    def _find_inside(self, within: str | None, where: str | None) -> np.ndarray | None:
        """Find the items that a search may find, [N] bool; None where that is all of them."""
        inside_N = self.index.inside(within, where)
        return self.index.vector_index.live_N if inside_N is None else inside_N

    def _left(self, within: str, where: str, filters: Filters) -> np.ndarray | None:
        """Find the items that filters leave, [N] bool; none if a filter is mistaken."""
        try:
            return self._inside(within or None, write_where(self.facets, where, filters))
        except InputError:
            return np.zeros(len(self.index.table), dtype=bool)

    def _hit(self, row: int) -> Hit:
        item = self.index.items.iloc[row]
        names = self.index.attribute_names
        said = {name: self.index.attributes[name][row].as_py() for name in names}
        shown = (item["item_id"], item["image"], item["text"], item["class_path"])
        likely = self.index.likely_path(item["item_id"], item["class_path"])
        return Hit(row, *shown, math.nan, attributes=said, likely_path=likely)


def _without_place(message: str, picture: Image.Image | None) -> str:
    """Pillow's name of an upload is of no use to anybody."""
    return message.replace(str(picture), "your picture").removeprefix("item 0: ")
