"""What the local pages have in common: who is answered, the catalogue's pictures, the server."""

from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address

import fastapi
import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import Response

from pipeline.core.errors import InputError
from pipeline.web.pictures import Pictures

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
_LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]


def local_app(host: str, pictures: Callable[[], Sequence[Pictures]]) -> fastapi.FastAPI:
    """Make a server that has pictures and no page yet.

    On a `host` of this machine alone, only requests for this machine are answered.

    Args:
        host: Address to bind to.
        pictures: Gives those that there are now: `/picture/<name>` is the first that has the name.
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

    @app.get("/picture/{name}")
    def picture(name: str) -> fastapi.Response:
        try:
            drawn = next(filter(None, (one.draw(name) for one in pictures())), None)
        except InputError as error:
            raise fastapi.HTTPException(503) from error
        if drawn is None:
            raise fastapi.HTTPException(404)
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
