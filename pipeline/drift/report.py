"""drift.csv and report.html: the periods beside what as many items of the catalogue show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from pipeline.core.atomic import atomic_path
from pipeline.core.csv_file import write_csv
from pipeline.drift.compare import FIGURES, Comparison, Name
from pipeline.drift.periods import Period
from pipeline.pictures.page import open_template

WIDTH, HEIGHT = 640, 160
"""Of a chart, in SVG units."""


class Row(NamedTuple):
    """A period and its figures."""

    period: Period
    figures: list[Comparison]

    @property
    def beyond(self) -> list[str]:
        """Names of the figures that no such batch of the catalogue shows."""
        return [one.figure for one in self.figures if one.beyond]


class _Chart(NamedTuple):
    """A figure over the periods, as SVG coordinates."""

    says: str
    top: float
    """Value at the upper edge; 0 is at the lower."""
    band: str
    """Points of the area of usual values, for `polygon`."""
    usual: str
    """Points of their median, for `polyline`."""
    line: str
    marks: list[tuple[float, float, bool, str]]
    """x, y, whether beyond, and what a reader hears of it."""


def write_report(out: Path, rows: Sequence[Row], *, level: float, by: str) -> None:
    """Write the table and the page.

    Args:
        out: Folder of both.
        rows: Periods in their order.
        level: Share of periods like the catalogue that would be called beyond, at most.
        by: What a period is.

    Raises:
        InputError: The folder cannot be written to.
    """
    write_csv(out / "drift.csv", drift_table(rows))
    values = {
        "rows": rows,
        "figures": FIGURES,
        "charts": [chart for name in FIGURES if (chart := _chart(name, rows)) is not None],
        "level": level,
        "by": by,
        "width": WIDTH,
        "height": HEIGHT,
    }
    page = open_template("pipeline.drift", "drift.html").render(**values)
    with atomic_path(out / "report.html") as temporary:
        temporary.write_text(page, encoding="utf-8")


def drift_table(rows: Sequence[Row]) -> pd.DataFrame:
    """Make a row per period and figure, with the fields of `Comparison`."""
    records: list[dict[str, Any]] = []
    for row in rows:
        for one in row.figures:
            low, high = one.interval or (None, None)
            fields = {**one._asdict(), "interval_low": low, "interval_high": high}
            fields.pop("interval")
            records.append({"period": row.period.name, **fields})
    return pd.DataFrame(records)


def _chart(name: Name, rows: Sequence[Row]) -> _Chart | None:
    found = [
        (n, row.period.name, one)
        for n, row in enumerate(rows)
        for one in row.figures
        if one.figure == name
    ]
    if not found:
        return None
    highest = max(max(one.value, one.limit, one.usual) for _, _, one in found)
    top = 1.1 * highest or 1.0
    step = WIDTH / len(rows)

    def at(n: int, value: float) -> tuple[float, float]:
        return round((n + 0.5) * step, 1), round(HEIGHT * (1 - value / top), 1)

    def points(pairs: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{x},{y}" for x, y in pairs)

    # What is usual lies beneath the limit of a figure that alarms when it is great.
    end = top if name == "probability" else 0.0
    limit = [
        (x + side, y)
        for n, _, one in found
        for x, y in [at(n, one.limit)]
        for side in (-step / 2, step / 2)
    ]
    other = [(x, HEIGHT * (1 - end / top)) for x, _ in reversed(limit)]
    return _Chart(
        FIGURES[name],
        top,
        points([*limit, *other]),
        points([at(n, one.usual) for n, _, one in found]),
        points([at(n, one.value) for n, _, one in found]),
        [
            (*at(n, one.value), one.beyond, f"{period}: {one.value:.3f}, limit {one.limit:.3f}")
            for n, period, one in found
        ],
    )
