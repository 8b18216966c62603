"""The routes of the service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import fastapi
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response

from pipeline.core.errors import InputError
from pipeline.decide.settings import ClassifySettings
from pipeline.serve.answers import (
    ClassifyAnswer,
    EmbedAnswer,
    ErrorAnswer,
    ModelAnswer,
    ReloadAnswer,
    SearchAnswer,
    json_response,
)
from pipeline.serve.asking import ask
from pipeline.serve.batcher import Batcher
from pipeline.serve.forms import ClassifyForm, EmbedForm, SearchForm, body_of, read_form
from pipeline.serve.guard import HEALTH, RELOAD, Guard
from pipeline.serve.limits import Limits
from pipeline.serve.loaded import Loaded
from pipeline.serve.meters import Meters
from pipeline.serve.openai_shape import EmbeddingsForm, embeddings_answer, models_answer
from pipeline.serve.questions import Classify, Embed, Search, answer_together
from pipeline.serve.recorder import Recorder
from pipeline.serve.refused import RefusedError
from pipeline.use.current import Current
from pipeline.web.local_app import is_loopback, loopback_names

STUCK = 2
"""Timeouts that the model may be at the same batch before the server says that it is stuck."""
_REFUSED: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorAnswer} for status in (400, 401, 413, 429, 503, 504)
}


class Service:
    """A model, what asks it, and the routes that lead there."""

    def __init__(
        self,
        current: Current[Loaded],
        limits: Limits,
        settings: ClassifySettings,
        *,
        host: str,
        token: str | None,
        warn: Callable[[str], None],
        recorder: Recorder | None = None,
    ) -> None:
        """Put it together; nothing is asked before the application starts.

        Args:
            current: The model.
            limits: Of requests.
            settings: Of classification, where a client says nothing.
            host: Address that is bound to.
            token: What a client has to know; None: nothing.
            warn: Takes lines of what went wrong.
            recorder: Takes what is classified and embedded; None: nothing is kept.
        """
        self.current, self.limits, self._settings, self._warn = current, limits, settings, warn
        self._recorder = recorder
        self._meters = Meters()
        self._meters.model(current.loaded)
        self._batcher: Batcher | None = None
        self._reader = ThreadPoolExecutor(1, "reader")
        self._reading: Future[Loaded] | None = None
        self._local = is_loopback(host)
        self._token = token
        app = FastAPIOffline(
            title="HUSE",
            summary="Search, classify and embed items by picture and text.",
            redoc_url=None,
            lifespan=self._lifespan,
        )
        if self._local and token is None:
            # A foreign page whose name its owner points at 127.0.0.1 could read the catalogue.
            app.add_middleware(TrustedHostMiddleware, allowed_hosts=loopback_names(host))
        self._add_routes(app)
        self.app = Guard(app, limits, token, self._meters, warn)

    def reload(self) -> Future[Loaded]:
        """Read the model again, after whatever is being read; see `Current.reload`.

        The outcome is counted, and a failure told.
        """
        self._reading = self._reader.submit(self._reload)
        return self._reading

    def _reload(self) -> Loaded:
        try:
            loaded = self.current.reload()
        except InputError as error:
            self._meters.reload("failed")
            self._warn(f"reload: {self.current.loaded.name} goes on: {error}")
            raise
        if self._recorder is not None:
            self._recorder.flush()
        self._meters.reload("ok")
        self._meters.model(loaded)
        return loaded

    @asynccontextmanager
    async def _lifespan(self, app: fastapi.FastAPI) -> AsyncIterator[None]:
        self._batcher = Batcher(
            partial(answer_together, record=self._recorder.add if self._recorder else None),
            batch=self.limits.batch,
            queue=self.limits.queue,
            on_batch=self._meters.batch,
        )
        self._meters.watch_queue(lambda: self._batcher.items if self._batcher else 0)
        yield
        self._reader.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._batcher.close)
        if self._recorder is not None:
            await asyncio.to_thread(self._recorder.flush)

    def _add_routes(self, app: fastapi.FastAPI) -> None:
        def post(path: str, form: Any, answer: Any) -> Callable[[Any], Any]:
            responses = {200: {"model": answer}, **_REFUSED}
            return app.post(path, openapi_extra=body_of(form), responses=responses)

        post("/search", SearchForm, SearchAnswer)(self.search)
        post("/classify", ClassifyForm, ClassifyAnswer)(self.classify)
        post("/embed", EmbedForm, EmbedAnswer)(self.embed)
        post("/v1/embeddings", EmbeddingsForm, dict)(self.embeddings)
        app.get("/v1/models")(self.models)
        app.get(HEALTH, responses={200: {"model": ModelAnswer}})(self.health)
        app.get("/metrics")(self.metrics)
        app.post(RELOAD, responses={200: {"model": ReloadAnswer}, 409: {"model": ErrorAnswer}})(
            self.reload_on_request
        )
        app.exception_handler(RefusedError)(_refused)
        app.exception_handler(HTTPException)(_refused_by_starlette)
        app.exception_handler(Exception)(_failed)

    async def _ask(self, request: Request, loaded: Loaded, question: Any, items: Any) -> list[Any]:
        assert self._batcher is not None, "the application has not started"
        return await ask(request, self._batcher, loaded.huse, question, items)

    async def search(self, request: Request) -> Response:
        """Find the items of the catalogue that are nearest to a text, a picture, or both."""
        form = await read_form(request, SearchForm, self.limits)
        loaded = self.current.loaded
        question = Search(form.k, form.within, form.where, form.mode)
        (found,) = await self._ask(request, loaded, question, [form.item()])
        return json_response(found, loaded.name)

    async def classify(self, request: Request) -> Response:
        """Predict the classes of items, and which of these may be filed unattended."""
        form = await read_form(request, ClassifyForm, self.limits)
        loaded = self.current.loaded
        settings = form.settings(self._settings)
        items = [item.item() for item in form.items]
        found = await self._ask(request, loaded, Classify(settings, form.k), items)
        can_file = loaded.huse.filing.can_file(settings.precision, settings.confidence)
        return json_response({"items": found, "can_file": can_file}, loaded.name)

    async def embed(self, request: Request) -> Response:
        """Embed items: a vector of the picture, of the text, and of both together."""
        form = await read_form(request, EmbedForm, self.limits)
        loaded = self.current.loaded
        found = await self._ask(request, loaded, Embed(), [item.item() for item in form.items])
        items = [
            {name: None if one is None else one.tolist() for name, one in item.items()}
            for item in found
        ]
        dimension = loaded.huse.description.dimension
        answer = {"model": loaded.name, "dimension": dimension, "items": items}
        return json_response(answer, loaded.name)

    async def embeddings(self, request: Request) -> Response:
        """Embed texts and pictures as clients of OpenAI ask for it."""
        form = await read_form(request, EmbeddingsForm, self.limits)
        loaded = self.current.loaded
        form.check_model(loaded)
        items = await asyncio.to_thread(form.items, self.limits.max_pixels)
        found = await self._ask(request, loaded, Embed(), items)
        return json_response(embeddings_answer(form, items, found, loaded), loaded.name)

    async def models(self) -> Response:
        """List the names of models that `/v1/embeddings` may be asked for."""
        loaded = self.current.loaded
        return json_response(models_answer(loaded), loaded.name)

    async def health(self) -> Response:
        """Say which model answers; status 503 if it has been at the same batch for too long."""
        answer = self._described(self.current.loaded)
        response = json_response(answer, answer["model"])
        response.status_code = 200 if answer["status"] == "ok" else 503
        return response

    async def metrics(self) -> Response:
        """Give the figures that Prometheus collects."""
        return self._meters.response()

    async def reload_on_request(self, request: Request) -> Response:
        """Read model and index again from the same folders, and let them answer from now on."""
        self._require_own(request)
        if self._reading is not None and not self._reading.done():
            raise RefusedError(409, "a model is being read already: wait", code="busy")
        before = self.current.loaded.name
        try:
            # Goes on if the client does not wait.
            loaded = await asyncio.shield(asyncio.wrap_future(self.reload()))
        except InputError as error:
            said = f"the model is as before: {error}"
            raise RefusedError(409, said, code="not_loaded") from error
        return json_response({**self._described(loaded), "before": before}, loaded.name)

    def _require_own(self, request: Request) -> None:
        """Without a token only who is on this machine, and no page of a browser."""
        if self._token is not None:
            return
        passed_on = {"forwarded", "x-forwarded-for", "via", "origin"} & set(request.headers)
        client = request.client.host if request.client else ""
        if not self._local or not is_loopback(client) or passed_on:
            raise RefusedError(403, "only with a token, which the server was started without")

    def _described(self, loaded: Loaded) -> dict[str, Any]:
        busy = self._batcher.busy_seconds if self._batcher else 0.0
        return {
            "status": "stuck" if busy > STUCK * self.limits.timeout else "ok",
            "model": loaded.name,
            "digest": loaded.digest,
            "items": loaded.items,
            "since": loaded.since,
        }


async def _refused(request: Request, refusal: RefusedError) -> Response:
    return refusal.response()


async def _refused_by_starlette(request: Request, error: HTTPException) -> Response:
    return RefusedError(error.status_code, str(error.detail), headers=error.headers).response()


async def _failed(request: Request, error: Exception) -> Response:
    return RefusedError(500, "the server failed; its log has more by the request's id").response()
