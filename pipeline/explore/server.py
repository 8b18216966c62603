"""The explorer's server: the pages, pictures that are asked with, and what the scripts load."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from urllib.parse import parse_qsl

import fastapi
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from pipeline.core.errors import InputError
from pipeline.core.location import Location
from pipeline.explore.explorer import Answer
from pipeline.explore.query import Query, read_query
from pipeline.explore.side import LONGER, Side, follow_side
from pipeline.explore.upload import MOST_BYTES, Uploads, check_size
from pipeline.explore.view import COMPARE, SEARCH, make_view
from pipeline.features.attributes import show_value
from pipeline.pictures.decode import upright_rgb
from pipeline.pictures.file import UnreadableImageError
from pipeline.use.current import Stored
from pipeline.web.local_app import local_app, require_own_page
from pipeline.web.pages import open_page, serve_files

AROUND = 2**16
"""Bytes of a form beside its picture."""
PACKAGE = "pipeline.explore"


def make_app(
    models: dict[str, Stored],
    images: Location,
    host: str,
    findings: Callable[[], int] | None = None,
    *,
    warn: Callable[[str], None] = warnings.warn,
) -> fastapi.FastAPI:
    """Put the server together.

    On a `host` of this machine alone, only requests for this machine are answered. What has changed
    of a model or its index since the last request is read before the next one is answered.

    Args:
        models: The model by its name, and perhaps another one to compare it with.
        images: The folder of the pictures, of both.
        host: Address to bind to.
        findings: How many findings are left to decide at `review/`, if that page is there.
        warn: Takes one line of what is no error, or of why something goes on as it was.

    Raises:
        InputError: There is no usable model, or no usable index.
    """
    followed = [follow_side(name, stored, images, warn) for name, stored in models.items()]
    first = followed[0]
    app = local_app(host, lambda: [one.latest().pictures for one in followed])
    serve_files(app, PACKAGE)
    uploads = Uploads()
    search_page, map_page = (
        open_page(PACKAGE, name, {"value": show_value}) for name in ("explore.html", "map.html")
    )
    paths = {SEARCH: [first], COMPARE: followed} if len(followed) > 1 else {SEARCH: [first]}

    def ask(side: Side, query: Query) -> Answer:
        try:
            picture = uploads.open(query.picture) if query.picture else None
        except InputError as error:
            return Answer(error=str(error))
        return side.explorer.answer(query, picture)

    def around() -> dict[str, object]:
        """What every page names."""
        return {"can_compare": COMPARE in paths, "findings": findings and findings()}

    def show(query: Query, path: str, mistake: str | None = None) -> HTMLResponse:
        sides = [one.latest() for one in paths[path]]
        answers = [Answer(error=mistake) if mistake else ask(side, query) for side in sides]
        view = make_view(query, path, sides, answers)
        return HTMLResponse(search_page.render(**view, **around()), 400 if mistake else 200)

    @app.get("/")
    def search(request: fastapi.Request) -> HTMLResponse:
        return show(read_query(request.query_params.multi_items()), SEARCH)

    if COMPARE in paths:

        @app.get("/compare")
        def compare(request: fastapi.Request) -> HTMLResponse:
            return show(read_query(request.query_params.multi_items()), COMPARE)

    @app.post("/upload", dependencies=[fastapi.Depends(require_own_page)])
    async def upload(request: fastapi.Request) -> fastapi.Response:
        """Keep a picture, and go to the query that asks with it."""
        query, path = Query(), SEARCH
        if "content-length" not in request.headers:
            raise fastapi.HTTPException(411)
        try:
            if int(request.headers["content-length"]) > MOST_BYTES + AROUND:
                async for _ in request.stream():  # else the browser does not read the answer
                    pass
                check_size(MOST_BYTES + 1)
            async with request.form(max_files=1, max_fields=2, max_part_size=AROUND) as form:
                query = read_query(parse_qsl(str(form.get("query", ""))))
                path = COMPARE if form.get("page") == COMPARE and COMPARE in paths else SEARCH
                file = form.get("file")
                data = await file.read() if isinstance(file, UploadFile) else b""
            digest = await run_in_threadpool(uploads.keep, data)
        except InputError as error:
            return await run_in_threadpool(show, query, path, str(error))
        return RedirectResponse(replace(query, picture=digest, like="").address(path), 303)

    @app.get("/upload/{digest}")
    def uploaded(digest: str) -> fastapi.Response:
        try:
            shown = upright_rgb(uploads.open(digest), first.latest().background)
        except (InputError, UnreadableImageError) as error:
            raise fastapi.HTTPException(404) from error
        shown.thumbnail((LONGER, LONGER))
        buffer = BytesIO()
        shown.save(buffer, format="JPEG", quality=85)
        return fastapi.Response(buffer.getvalue(), media_type="image/jpeg")

    @app.get("/map")
    def show_map() -> HTMLResponse:
        space = first.latest().explorer.space
        return HTMLResponse(map_page.render(space=space, narrow=_narrow, **around()))

    @app.get("/points")
    def points() -> dict[str, object]:
        side = first.latest()
        return side.explorer.space.points(side.pictures.name)

    @app.get("/classes")
    def classes() -> list[str]:
        return first.latest().explorer.classes.paths

    return app


def _narrow(path: str) -> str:
    return Query(within=path).address(SEARCH)
