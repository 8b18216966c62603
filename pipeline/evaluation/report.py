"""report.html: one page that opens offline."""

import base64
import io
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.evaluation.gallery import GalleryRow
from pipeline.evaluation.thumbnail import thumbnail
from pipeline.files.atomic import atomic_path

SIDE = 96
"""Longer side of a picture in the report, in pixels."""


def write_report(
    path: Path,
    *,
    metrics: dict[str, Any],
    facts: dict[str, Any],
    rows: list[GalleryRow],
    images: Path,
    background: str,
) -> None:
    """Write the report; texts of the catalogue are escaped.

    Args:
        path: HTML file.
        metrics: Nested metrics as in metrics.json.
        facts: What ran, name to value.
        rows: Gallery.
        images: Folder of the pictures.
        background: Colour under transparent pixels.

    Raises:
        InputError: The folder cannot be written to.
    """

    @cache
    def picture(image: str) -> str:
        stream = io.BytesIO()
        thumbnail(images / image, SIDE, background).save(stream, format="WEBP", quality=80)
        return base64.b64encode(stream.getvalue()).decode()

    environment = Environment(
        loader=PackageLoader("pipeline.evaluation", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    page = environment.get_template("report.html").render(
        metrics=metrics, facts=facts, rows=rows, picture=picture
    )
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
