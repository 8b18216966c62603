"""The map of the space: items as points, and the same in words.

Shape letters: N items, S shown items, C classes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from pipeline.web.pages import in_words

MOST_POINTS = 3000
"""Points of the map: more overlap, and slow the browser down."""


class ClassOnMap(NamedTuple):
    """A part of the first level of the class tree."""

    name: str
    items: int
    beside: str | None
    """The class whose middle is nearest on the map; None where there is no other."""


class SpaceMap:
    """The items that have a place in the plane, or a fair share of them."""

    def __init__(self, items: pd.DataFrame, separator: str, rows: np.ndarray | None = None) -> None:
        """Take N items with `item_id`, `image`, `text`, `class_path`, `x` and `y`.

        `rows` are the places of those that there are, if not all.
        """
        has_N = (items["x"].notna() & items["y"].notna()).to_numpy()
        rows = np.flatnonzero(has_N) if rows is None else rows[has_N[rows]]
        self.total = len(rows)
        """Items with a place; those that came after training have none."""
        if len(rows) > MOST_POINTS:
            rows = rows[np.linspace(0, len(rows) - 1, MOST_POINTS).astype(int)]
        self._row_S = rows
        self._shown = items.iloc[rows]
        self._in_words = lambda path: in_words(path, separator)
        top_S = [path.split(separator)[0] for path in self._shown["class_path"]]
        self._top_S = np.array(top_S, dtype=object)
        self._xy_S2 = self._shown[["x", "y"]].to_numpy(dtype=np.float64)

    def __len__(self) -> int:
        return len(self._shown)

    def points(self, name_picture: Callable[[int], str]) -> dict[str, Any]:
        """What the script draws: `classes` as in `classes`, and a row per point.

        A point is x and y in 0 to 1, the number of its class, its picture's name as it is given by
        the place in the index, or None if it has none, its id, text and class path.
        """
        names = [one.name for one in self.classes()]
        number_of = {name: number for number, name in enumerate(names)}
        pictures = [
            name_picture(row) if image else None
            for row, image in zip(self._row_S.tolist(), self._shown["image"], strict=True)
        ]
        points = [
            [*xy, number_of[top], picture, item_id, text, self._in_words(path)]
            for xy, top, picture, item_id, text, path in zip(
                _to_unit_square(self._xy_S2),
                self._top_S,
                pictures,
                *(self._shown[name] for name in ("item_id", "text", "class_path")),
                strict=True,
            )
        ]
        return {"classes": names, "points": points}

    def classes(self) -> list[ClassOnMap]:
        """The C classes of the first level, those with the most points first."""
        count_of = pd.Series(self._top_S, dtype=object).value_counts().sort_index(kind="stable")
        count_of = count_of.sort_values(ascending=False, kind="stable")
        names = count_of.index.tolist()
        if len(names) < 2:
            return [ClassOnMap(name, int(count_of[name]), None) for name in names]
        middle_C2 = np.stack(
            [np.median(self._xy_S2[self._top_S == name], axis=0) for name in names]
        )
        distance_CC = np.linalg.norm(middle_C2[:, None] - middle_C2[None], axis=2)
        np.fill_diagonal(distance_CC, np.inf)
        return [
            ClassOnMap(name, int(count_of[name]), names[beside])
            for name, beside in zip(names, distance_CC.argmin(axis=1), strict=True)
        ]


def _to_unit_square(xy_S2: np.ndarray) -> list[list[float]]:
    """Scale to 0..1; the outermost 1 % on each side moves to the edge, lest it shrinks the rest."""
    if not len(xy_S2):
        return []
    low, high = np.quantile(xy_S2, 0.01, axis=0), np.quantile(xy_S2, 0.99, axis=0)
    return ((xy_S2 - low) / np.maximum(high - low, 1e-9)).clip(0, 1).round(4).tolist()
