"""What the local pages have in common: who is answered, the catalogue's pictures, the server.

A picture is asked for by its item's place in a list and by nothing else, so that no path comes from
outside.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from io import BytesIO
from ipaddress import ip_address

import fastapi
import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import Response

from pipeline.core.errors import InputError
from pipeline.core.location import Location
from pipeline.pictures.folder import picture_inside
from pipeline.pictures.thumbnail import thumbnail

HEADERS = {
    # Another catalogue has another picture in the same place; drawn ones are kept here.
    "Cache-Control": "no-store",
    # Nothing from elsewhere, and no other page may show this one and have it clicked on.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
"""Of every answer."""
KEPT = 2000
"""Served pictures that stay in memory, tens of kilobytes each."""
_LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]


def local_app(
    host: str, images: Location, files: Sequence[str], *, side: int, background: str
) -> fastapi.FastAPI:
    """Make a server that has pictures and no page yet.

    On a `host` of this machine alone, only requests for this machine are answered.

    Args:
        host: Address to bind to.
        images: The folder of the pictures.
        files: Their names, empty for an item without; `/picture/<place>` is the picture of that
            place in the list.
        side: Length of the longer side of a served picture in pixels.
        background: Colour under transparent pixels, `#rrggbb`.
    """
    app = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    if is_loopback(host):
        # A foreign page whose name its owner points at 127.0.0.1 could read the catalogue.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=loopback_names(host))

    @app.middleware("http")
    async def with_headers(
        request: fastapi.Request, call_next: Callable[[fastapi.Request], Awaitable[Response]]
    ) -> Response:
        response = await call_next(request)
        response.headers.update(HEADERS)
        return response

    @lru_cache(KEPT)
    def draw(picture: Location) -> bytes:
        buffer = BytesIO()
        thumbnail(picture, side, background).save(buffer, format="JPEG", quality=85)
        return buffer.getvalue()

    @app.get("/picture/{row}")
    def picture(row: int) -> fastapi.Response:
        found = None
        if 0 <= row < len(files) and files[row]:
            found = picture_inside(images, files[row])
        if found is None:
            raise fastapi.HTTPException(404)
        try:
            drawn = draw(found)
        except InputError as error:
            raise fastapi.HTTPException(503) from error
        return fastapi.Response(drawn, media_type="image/jpeg")

    return app


def require_own_page(request: fastapi.Request) -> None:
    """Refuse what a page of another server asks for: a browser says where a form comes from.

    Raises:
        HTTPException: The request comes from elsewhere, or does not say from where.
    """
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if request.headers.get("origin") != own:
        raise fastapi.HTTPException(403, "Only the page itself may decide.")


def serve(app: fastapi.FastAPI, host: str, port: int) -> None:
    """Serve until interrupted; 127.0.0.1 is reached from this machine alone."""
    uvicorn.run(app, host=host, port=port, log_level="warning")


def loopback_names(host: str) -> list[str]:
    """What a server on this machine alone may be called, `host` being the address it has."""
    return [*_LOOPBACK, host]


def is_loopback(host: str) -> bool:
    """Tell whether an address is reached from this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
