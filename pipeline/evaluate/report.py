"""report.html: one page that opens offline."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from markupsafe import Markup

from pipeline.core.location import Location
from pipeline.evaluate.confusions import Confusion
from pipeline.evaluate.decisions import DecisionCharts
from pipeline.evaluate.gallery import GalleryRow
from pipeline.evaluate.graph_plots import HeatMap, Neighbourhood
from pipeline.pictures.page import write_page

TITLE_LENGTH = 200
"""Characters of an item's text on its card, which may be on the page many times."""


class Report(NamedTuple):
    """What the page shows."""

    warnings: list[str]
    """What could not be measured and why, and where figures say less than they seem to."""
    counts: dict[str, str]
    parameters: dict[str, str]
    versions: dict[str, str]
    catalogue: dict[str, str]
    metrics: dict[str, Any]
    """As in metrics.json."""
    details: dict[str, Any]
    """As in details.json."""
    map: dict[str, Any]
    """From `map_points`."""
    decisions: DecisionCharts | None
    """None without test items."""
    gallery: list[GalleryRow]
    confusions: list[Confusion]
    neighbours: list[Neighbourhood]
    heat_map: HeatMap
    rejected: dict[str, pd.DataFrame]
    """Unusable rows and pictures by name of the list."""


def write_report(
    path: Path, report: Report, *, images: Location, background: str, shown_rows: int
) -> None:
    """Write the page; texts of the catalogue are escaped."""
    values = {
        **report._asdict(),
        "map_json": _script_json(report.map),
        "rows": shown_rows,
        "title_length": TITLE_LENGTH,
    }
    write_page(
        path,
        "pipeline.evaluate",
        "report.html",
        values,
        images=images,
        background=background,
        filters={"spelled": _spelled},
    )


def _spelled(name: str) -> str:
    """Name of a figure as the field writes it: `map_at_r` -> mAP@R, `hp_at_5` -> HP@5."""
    figure, at, cutoff = name.partition("_at_")
    if not at:
        return name.replace("_", " ")
    *before, short = figure.split("_")
    short = {"map": "mAP", "hap": "H-AP"}.get(short, short.upper())
    return " ".join([*before, f"{short}@{cutoff.upper()}"])


def _script_json(value: Any) -> Markup:
    """JSON that can stand within a script element: no text of the catalogue can close it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
