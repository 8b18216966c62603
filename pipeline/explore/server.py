"""The explorer's server: the pages, pictures that are asked with, and what the scripts load."""

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
from pipeline.explore.explorer import Answer, Explorer
from pipeline.explore.query import Query, read_query
from pipeline.explore.space_map import SpaceMap
from pipeline.explore.upload import MOST_BYTES, Uploads, check_size
from pipeline.explore.view import COMPARE, SEARCH, Side, make_view
from pipeline.features.attributes import show_value
from pipeline.pictures.decode import upright_rgb
from pipeline.pictures.file import UnreadableImageError
from pipeline.use.api import Huse
from pipeline.web.local_app import local_app, require_own_page
from pipeline.web.pages import in_words, open_page, serve_files

SIDE = 240
"""Length of the longer side of a served picture in pixels."""
AROUND = 2**16
"""Bytes of a form beside its picture."""
PACKAGE = "pipeline.explore"


def make_app(
    models: dict[str, Huse],
    images: Location,
    host: str,
    findings: Callable[[], int] | None = None,
) -> fastapi.FastAPI:
    """Put the server together.

    On a `host` of this machine alone, only requests for this machine are answered.

    Args:
        models: The model by its name, and perhaps another one to compare it with.
        images: The folder of the pictures, of both.
        host: Address to bind to.
        findings: How many findings are left to decide at `review/`, if that page is there.

    Raises:
        InputError: There is no usable index.
    """
    files: list[str] = []
    sides = []
    for name, model in models.items():
        sides.append(Side(name, Explorer(model), len(files)))
        files += model.index.images
    first = sides[0].explorer
    background = first.model.description.recipe["image"].get("background", "#ffffff")
    app = local_app(host, images, files, side=SIDE, background=background)
    serve_files(app, PACKAGE)
    space = SpaceMap(first.index.items, first.separator, first.index.rows)
    uploads = Uploads()
    filters = {"in_words": lambda path: in_words(path, first.separator), "value": show_value}
    search_page, map_page = (
        open_page(PACKAGE, name, filters) for name in ("explore.html", "map.html")
    )
    paths = {SEARCH: sides[:1], COMPARE: sides} if len(sides) > 1 else {SEARCH: sides}

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
        answers = [Answer(error=mistake) if mistake else ask(side, query) for side in paths[path]]
        view = make_view(query, path, paths[path], answers)
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
            shown = upright_rgb(uploads.open(digest), background)
        except (InputError, UnreadableImageError) as error:
            raise fastapi.HTTPException(404) from error
        shown.thumbnail((SIDE, SIDE))
        buffer = BytesIO()
        shown.save(buffer, format="JPEG", quality=85)
        return fastapi.Response(buffer.getvalue(), media_type="image/jpeg")

    @app.get("/map")
    def show_map() -> HTMLResponse:
        return HTMLResponse(map_page.render(space=space, narrow=_narrow, **around()))

    @app.get("/points")
    def points() -> dict[str, object]:
        return space.points()

    @app.get("/classes")
    def classes() -> list[str]:
        return first.classes.paths

    return app


def _narrow(path: str) -> str:
    return Query(within=path).address(SEARCH)
