"""Lines in a square, as SVG coordinates: the charts of the report.

Shape letters: P points.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

SIDE = 200
"""Of the square, in SVG units."""


class Line(NamedTuple):
    """One line of a chart."""

    name: str
    points: str
    """For `polyline`."""


class Chart(NamedTuple):
    """Some lines and the ends of both axes."""

    lines: list[Line]
    left: float
    bottom: float
    """Values at the lower left corner; the other corner is (1, 1)."""
    diagonal: str
    """Points of the line of equal values, for `polyline`."""


def draw_chart(value_of: Mapping[str, np.ndarray], *, left: float | None = None) -> Chart:
    """Draw lines between shares.

    Args:
        value_of: [P, 2] of x and y in 0..1 by the line's name; points with NaN are left out.
        left: Where the x axis begins; where the least value allows, in tenths, if not given.
    """
    kept = {name: one[~np.isnan(one).any(axis=1)] for name, one in value_of.items()}
    least_2 = np.min([one.min(axis=0) for one in kept.values() if len(one)] or [[0, 0]], axis=0)
    # Rounded first, as 0.7 is a little less than seven tenths.
    left, bottom = (
        min(np.floor(np.round(10 * least, 6)) / 10, 0.9) if given is None else given
        for least, given in zip(least_2, (left, None), strict=True)
    )
    lines = [Line(name, _points(one, left, bottom)) for name, one in kept.items()]
    start = max(left, bottom)
    ends = np.array([[start, start], [1.0, 1.0]])
    return Chart(lines, float(left), float(bottom), _points(ends, left, bottom))


def _points(value_P2: np.ndarray, left: float, bottom: float) -> str:
    x_P = SIDE * (value_P2[:, 0] - left) / (1 - left)
    y_P = SIDE * (1 - (value_P2[:, 1] - bottom) / (1 - bottom))
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(x_P, y_P, strict=True))
