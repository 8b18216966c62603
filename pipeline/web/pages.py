"""How the local pages are made: templates over one base, and files that they load from here."""

from collections.abc import Callable
from importlib.resources import files

import fastapi
from jinja2 import Template

from pipeline.pictures.page import open_template

TYPES = {".css": "text/css", ".js": "text/javascript"}


def open_page(
    package: str, template: str, filters: dict[str, Callable[[str], str]] | None = None
) -> Template:
    """Read a template that may extend `base.html`; what it is filled with is escaped.

    Args:
        package: Its folder `templates` has the template.
        template: Name of its file.
        filters: The template's own.
    """
    return open_template(package, template, filters, shared=["pipeline.web"])


def serve_files(app: fastapi.FastAPI, package: str) -> None:
    """Answer `files/NAME` with the style sheets and scripts of a page and of its base.

    Args:
        app: From `local_app`.
        package: Its folder `templates` has them.
    """
    content = {
        one.name: (one.read_bytes(), kind)
        for name in ("pipeline.pictures", "pipeline.web", package)
        for one in (files(name) / "templates").iterdir()
        for ending, kind in TYPES.items()
        if one.name.endswith(ending)
    }

    @app.get("/files/{name}")
    def file(name: str) -> fastapi.Response:
        if name not in content:
            raise fastapi.HTTPException(404)
        data, kind = content[name]
        return fastapi.Response(data, media_type=kind)


def in_words(path: str, separator: str) -> str:
    """Write a class path for people."""
    return " \u203a ".join(path.split(separator))
