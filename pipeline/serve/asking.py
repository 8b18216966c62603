"""A request of the web and its answer by the model's thread."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from starlette.requests import Request

from pipeline.core.errors import InputError
from pipeline.serve.batcher import Batcher, OverloadedError
from pipeline.serve.questions import Asked, Item, Question
from pipeline.serve.refused import GONE, RefusedError
from pipeline.use.api import Huse


async def ask(
    request: Request, batcher: Batcher, model: Huse, question: Question, items: Sequence[Item]
) -> list[Any]:
    """Let the model answer, unless the client leaves or is out of time: its place is free then.

    Returns:
        An answer per item.

    Raises:
        RefusedError: There is none, and why.
    """
    try:
        future = batcher.submit(Asked(model, question, items))
    except OverloadedError as error:
        raise RefusedError(
            503, "too many wait: ask again", code="overloaded", headers={"Retry-After": "1"}
        ) from error
    answer = asyncio.wrap_future(future)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise RefusedError(GONE, "the client has left")
        return _result(future)
    finally:
        for task in (answer, gone):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await answer


def _result(future: Future[list[Any]]) -> list[Any]:
    if future.cancelled():
        raise RefusedError(503, "the server stops", code="overloaded", headers={"Retry-After": "5"})
    try:
        return future.result()
    except InputError as error:
        raise RefusedError(400, str(error)) from error


async def _gone(request: Request) -> None:
    """Wait until the client has left; its body was read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
