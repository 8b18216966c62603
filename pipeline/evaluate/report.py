"""report.html: one page that opens offline."""

import base64
import io
import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipeline.core.atomic import atomic_path
from pipeline.core.location import Location
from pipeline.evaluate.confusions import Confusion
from pipeline.evaluate.gallery import GalleryRow
from pipeline.evaluate.graph_plots import HeatMap, Neighbourhood
from pipeline.pictures.thumbnail import thumbnail

SIDE = 96
"""Longer side of a picture in the report, in pixels."""
TITLE_LENGTH = 200
"""Characters of an item's text on its card, which may be on the page many times."""


class Report(NamedTuple):
    """What the page shows."""

    warnings: list[str]
    """What could not be measured and why, and where figures say less than they seem to."""
    counts: dict[str, str]
    parameters: dict[str, str]
    versions: dict[str, str]
    metrics: dict[str, Any]
    """As in metrics.json."""
    details: dict[str, Any]
    """As in details.json."""
    map: dict[str, Any]
    """From `map_points`."""
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

    # An item may be on many cards.
    @cache
    def picture(image: str) -> str:
        stream = io.BytesIO()
        thumbnail(images / image, SIDE, background).save(stream, format="WEBP", quality=75)
        return base64.b64encode(stream.getvalue()).decode()

    environment = Environment(
        loader=PackageLoader("pipeline.evaluate", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["spelled"] = _spelled
    page = environment.get_template("report.html").render(
        **report._asdict(),
        map_json=_script_json(report.map),
        picture=picture,
        rows=shown_rows,
        title_length=TITLE_LENGTH,
    )
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _spelled(name: str) -> str:
    """Name of a figure as the field writes it: `map_at_r` -> mAP@R, `hp_at_5` -> HP@5."""
    figure, at, cutoff = name.partition("_at_")
    if not at:
        return name.replace("_", " ")
    *before, short = figure.split("_")
    short = {"map": "mAP"}.get(short, short.upper())
    return " ".join([*before, f"{short}@{cutoff.upper()}"])


def _script_json(value: Any) -> Markup:
    """JSON that can stand within a script element: no text of the catalogue can close it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
