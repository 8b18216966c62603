"""The page's server: Gradio for the page, one route of our own for the catalogue's pictures.

A picture is asked for by its item's place in the index and by nothing else, so that no path comes
from outside.
"""

from functools import lru_cache
from io import BytesIO
from ipaddress import ip_address

import fastapi
import gradio
import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware

from pipeline.core.errors import InputError
from pipeline.core.location import Location
from pipeline.explore.explorer import Explorer
from pipeline.explore.page import build_page
from pipeline.explore.upload import MOST_BYTES
from pipeline.pictures.thumbnail import thumbnail
from pipeline.use.api import Huse

SIDE = 240
"""Length of the longer side of a served picture in pixels."""
KEPT = 2000
"""Served pictures that stay in memory, some ten kilobytes each."""
_LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]


def make_app(model: Huse, images: Location, host: str) -> fastapi.FastAPI:
    """Put the server together.

    On a `host` of this machine alone, only requests for this machine are answered.

    Raises:
        InputError: There is no usable index.
    """
    background = model.description.recipe["image"].get("background", "#ffffff")
    files = model.index.items["image"].tolist()

    @lru_cache(KEPT)
    def draw(row: int) -> bytes:
        buffer = BytesIO()
        thumbnail(images / files[row], SIDE, background).save(buffer, format="JPEG", quality=85)
        return buffer.getvalue()

    app = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    if _is_loopback(host):
        # A foreign page whose name its owner points at 127.0.0.1 could read the catalogue.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*_LOOPBACK, host])

    @app.get("/picture/{row}")
    def picture(row: int) -> fastapi.Response:
        if not 0 <= row < len(files):
            raise fastapi.HTTPException(404)
        headers = {"Cache-Control": "max-age=3600"}
        try:
            drawn = draw(row)
        except InputError as error:
            raise fastapi.HTTPException(503) from error
        return fastapi.Response(drawn, media_type="image/jpeg", headers=headers)

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


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def serve(app: fastapi.FastAPI, host: str, port: int) -> None:
    """Serve until interrupted; 127.0.0.1 is reached from this machine alone."""
    uvicorn.run(app, host=host, port=port, log_level="warning")
