"""Stands in front of the routes: who is let in, how much may be sent, how long it may take."""

from __future__ import annotations

import asyncio
import hmac
import re
import time
import traceback
import uuid
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from math import ceil

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.serve.limits import HELD_BODIES, SMALL_BODY, Limits
from pipeline.serve.meters import Meters
from pipeline.serve.refused import GONE, RefusedError

HEALTH, RELOAD = "/healthz", "/admin/reload"
OPEN = (HEALTH, "/docs", "/openapi.json")
"""What is answered without a token, with all below it."""
_STATIC = "/static-offline-docs/"
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
# What is still to come of a body is not read.
_CLOSE = {"Connection": "close"}


class Guard:
    """An application with limits around it."""

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits,
        token: str | None,
        meters: Meters,
        warn: Callable[[str], None],
    ) -> None:
        """Put it around `app`.

        Args:
            app: The routes.
            limits: Of every request.
            token: What a client has to know; None: nothing.
            meters: Are told of every request.
            warn: Takes one line of what went wrong here, without anything of what was sent.
        """
        self._app, self._limits, self._meters, self._warn = app, limits, meters, warn
        self._token = None if token is None else token.encode()
        self._rate = _Rate(limits.rate) if limits.rate else None
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(Request(scope), receive, send)
        began = time.monotonic()
        try:
            await self._answer(exchange)
        finally:
            self._held -= exchange.bytes
            route = getattr(scope.get("route"), "path", "other")
            self._meters.request(route, exchange.status or GONE, time.monotonic() - began)

    async def _answer(self, exchange: _Exchange) -> None:
        request, send = exchange.request, exchange.send
        try:
            self._let_in(request)
            # Reading a model takes as long as it takes.
            limit = None if request.url.path == RELOAD else self._limits.timeout
            async with asyncio.timeout(limit):
                await self._app(request.scope, lambda: self._receive(exchange), send)
        except RefusedError as refusal:
            await _refuse(exchange, refusal)
        except TimeoutError:
            if exchange.status:
                raise  # half an answer: the connection is closed
            await _refuse(exchange, _too_late(exchange, self._limits.timeout))
        except Exception as error:  # noqa: BLE001 - one request must not end the server
            # Its message may hold what a client sent.
            where = "".join(traceback.format_tb(error.__traceback__)[-3:])
            what = f"{request.method} {_route(request.scope)}: {type(error).__name__}"
            self._warn(f"request {exchange.name}: {what}\n{where}")

    def _let_in(self, request: Request) -> None:
        path = request.url.path
        if path in OPEN or path.startswith(_STATIC):
            return
        if self._rate is not None:
            self._rate.require(request.client.host if request.client else "")
        if self._token is not None:
            given = request.headers.get("authorization", "").encode("latin-1")
            kind, _, secret = given.partition(b" ")
            # As long for a wrong token as for the right one.
            if not hmac.compare_digest(secret.strip(), self._token) or kind.lower() != b"bearer":
                raise RefusedError(
                    401,
                    "give the token in the header Authorization: Bearer",
                    code="invalid_api_key",
                    headers={"WWW-Authenticate": "Bearer", **_CLOSE},
                )
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > self._limits.max_bytes:
            raise self._too_large()

    async def _receive(self, exchange: _Exchange) -> Message:
        message = await exchange.receive()
        if message["type"] == "http.request":
            count = len(message.get("body", b""))
            exchange.bytes += count
            self._held += count
            exchange.complete = not message.get("more_body", False)
            if exchange.bytes > self._limits.max_bytes:
                raise self._too_large()
            most = HELD_BODIES * self._limits.max_bytes
            if exchange.bytes > SMALL_BODY and self._held > most:
                raise RefusedError(
                    503,
                    "too much is being sent by others: ask again",
                    code="overloaded",
                    headers={"Retry-After": "1", **_CLOSE},
                )
        return message

    def _too_large(self) -> RefusedError:
        return RefusedError(
            413,
            f"the body has more than {self._limits.max_bytes} bytes: send less at a time",
            headers=_CLOSE,
        )


class _Rate:
    """How many requests a client may make in a minute."""

    def __init__(self, most: int) -> None:
        self._most = RateLimitItemPerMinute(most)
        self._window = SlidingWindowCounterRateLimiter(MemoryStorage())

    def require(self, host: str) -> None:
        client = _network(host)
        if self._window.hit(self._most, client):
            return
        wait = self._window.get_window_stats(self._most, client).reset_time - time.time()
        raise RefusedError(
            429,
            f"more than {self._most.amount} requests in a minute: wait",
            code="rate_limit_exceeded",
            headers={"Retry-After": str(max(1, ceil(wait))), **_CLOSE},
        )


class _Exchange:
    """A request and what has become of it."""

    def __init__(self, request: Request, receive: Receive, send: Send) -> None:
        self.request, self.receive, self._send = request, receive, send
        given = request.headers.get("x-request-id", "")
        self.name = given if _NAME.fullmatch(given) else uuid.uuid4().hex
        self.bytes = 0
        self.complete = not {"content-length", "transfer-encoding"} & set(request.headers)
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], (b"x-request-id", self.name.encode())]
        await self._send(message)


async def _refuse(exchange: _Exchange, refusal: RefusedError) -> None:
    if exchange.status:
        return
    request = exchange.request
    await refusal.response()(request.scope, request.receive, exchange.send)


def _too_late(exchange: _Exchange, seconds: float) -> RefusedError:
    if exchange.complete:
        return RefusedError(
            504, f"no answer within {seconds:g} seconds: ask for less", code="timeout"
        )
    return RefusedError(
        408, f"the request did not come within {seconds:g} seconds", code="timeout", headers=_CLOSE
    )


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", "other")


def _network(host: str) -> str:
    """Who counts as one client: an address, of IPv6 the network that a customer has."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return host if address.version == 4 else str(ip_network(f"{host}/64", strict=False))
