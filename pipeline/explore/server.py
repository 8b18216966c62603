"""The page's server: Gradio for the page, one route of our own for the catalogue's pictures."""

import fastapi
import gradio

from pipeline.core.location import Location
from pipeline.explore.explorer import Explorer
from pipeline.explore.page import build_page
from pipeline.explore.upload import MOST_BYTES
from pipeline.use.api import Huse
from pipeline.web.local_app import local_app

SIDE = 240
"""Length of the longer side of a served picture in pixels."""


def make_app(model: Huse, images: Location, host: str) -> fastapi.FastAPI:
    """Put the server together.

    On a `host` of this machine alone, only requests for this machine are answered.

    Raises:
        InputError: There is no usable index.
    """
    background = model.description.recipe["image"].get("background", "#ffffff")
    app = local_app(host, images, model.index.images, side=SIDE, background=background)
    # Names of fonts alone: the default theme would ask a server of Google's for its own.
    theme = gradio.themes.Default(
        font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
    )
    page = build_page(Explorer(model))
    # Gradio checks only pages that `launch` has started for paths of files that nobody uploaded.
    page.has_launched = page.is_running = True
    return gradio.mount_gradio_app(
        app,
        page,
        path="/",
        theme=theme,
        max_file_size=MOST_BYTES,
        ssr_mode=False,
        footer_links=[],
        enable_monitoring=False,
    )
