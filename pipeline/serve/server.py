"""The process: a socket, uvicorn with its limits, and what signals do."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from pipeline.core.errors import InputError
from pipeline.serve.app import Service
from pipeline.serve.limits import CONNECTIONS, HEAD_SECONDS


class TimedProtocol(H11Protocol):
    """Closes a connection whose next request's head is not there in time, however it drips.

    uvicorn's own limit ends with the first byte.
    """

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def on_response_complete(self) -> None:
        """Begin to wait for the next one."""
        super().on_response_complete()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        super().connection_lost(exc)
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(HEAD_SECONDS, self._end_if_idle)

    def _end_if_idle(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


def listen(host: str, port: int) -> socket.socket:
    """Bind to an address; port 0 is any that is free.

    A server that was killed leaves connections behind, which hinder nobody.

    Raises:
        InputError: Somebody else is there, or this machine has no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError) as error:
        # Python adds the address once more.
        reason = (getattr(error, "strerror", None) or str(error)).partition(" (while")[0]
        raise InputError(f"{host} port {port}: {reason}; give another --host or --port") from error
    # Connections inherit it. asyncio sees none of TCP here and would leave it out, and the second
    # answer of a connection would wait 40 ms for a word of the client.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def make_server(service: Service, proxy: str | None) -> uvicorn.Server:
    """Set uvicorn up.

    Args:
        service: What answers.
        proxy: Addresses of reverse proxies, whose word on who the client is counts.
    """
    return uvicorn.Server(
        uvicorn.Config(
            service.app,
            log_level="warning",
            access_log=False,
            http=TimedProtocol,
            ws="none",
            server_header=False,
            proxy_headers=proxy is not None,
            forwarded_allow_ips=proxy or "",
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=int(service.limits.timeout) + 1,
        )
    )


def serve(service: Service, listener: socket.socket, proxy: str | None) -> None:
    """Serve until interrupted or terminated; what is under way is finished.

    On SIGHUP the model is read again.
    """
    asyncio.run(_serve(service, make_server(service, proxy), listener))


async def _serve(service: Service, server: uvicorn.Server, listener: socket.socket) -> None:
    async with _reload_on_hangup(service):
        await server.serve([listener])


@asynccontextmanager
async def _reload_on_hangup(service: Service) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    # What is wrong with it is told by the service.
    loop.add_signal_handler(signal.SIGHUP, service.reload)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
