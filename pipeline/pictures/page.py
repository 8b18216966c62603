"""One HTML page with small pictures in it, which opens offline."""

import base64
import io
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, Template

from pipeline.core.atomic import atomic_path
from pipeline.core.location import Location
from pipeline.pictures.thumbnail import thumbnail

SIDE = 96
"""Longer side of a picture on a page, in pixels."""


def open_template(
    package: str,
    template: str,
    filters: dict[str, Callable[[str], str]] | None = None,
    shared: Sequence[str] = (),
) -> Template:
    """Read the template of a page; what it is filled with is escaped.

    Args:
        package: Its folder `templates` has the template, which may include `page.css`.
        template: Name of its file.
        filters: The template's own.
        shared: Packages with templates that this one extends or imports.
    """
    packages = (package, *shared, "pipeline.pictures")
    folders = [PackageLoader(name, "templates") for name in packages]
    environment = Environment(
        loader=ChoiceLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters or {}
    return environment.get_template(template)


def write_page(
    path: Path,
    package: str,
    template: str,
    values: dict[str, Any],
    *,
    images: Location,
    background: str,
    filters: dict[str, Callable[[str], str]] | None = None,
) -> None:
    """Fill in a template and write the page; what comes from a catalogue is escaped.

    Args:
        path: Where to.
        package: Its folder `templates` has the template, which may include `page.css`.
        template: Name of its file.
        values: What it names, besides `picture(image)`: the picture as WEBP in base64.
        images: The folder of the pictures.
        background: Colour under transparent pixels, `#rrggbb`.
        filters: The template's own.

    Raises:
        InputError: The folder cannot be written to.
    """

    # An item may be on a page many times.
    @cache
    def picture(image: str) -> str:
        stream = io.BytesIO()
        thumbnail(images / image, SIDE, background).save(stream, format="WEBP", quality=75)
        return base64.b64encode(stream.getvalue()).decode()

    page = open_template(package, template, filters).render(**values, picture=picture)
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
