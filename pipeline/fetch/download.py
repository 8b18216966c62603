"""One picture from its URL: politely, within bounds, and from no other place than it seems."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import version
from threading import Event, Lock
from time import monotonic
from typing import NamedTuple

import httpx

from pipeline.core.errors import BadRowError
from pipeline.fetch.addresses import is_public, resolve

AGENT = f"huse-pipeline/{version('huse-pipeline')} (fetch_pictures; httpx/{httpx.__version__})"
REDIRECTS = 5
TRIES = 5
FIRST_WAIT = 1.0
"""Seconds before the second try, doubled for each further one, where the host names none."""
LONGEST_WAIT = 120.0
"""Seconds; a host that asks for more is left alone for the rest of the run."""
FAILURES = 3
"""Pictures one after the other that a host fails to give, each in all tries, until it is left
alone for the rest of the run."""
SILENCE = 20.0
"""Seconds that a host may say nothing."""
BUSY = frozenset((408, 425, 429, 500, 502, 503, 504))
"""What a host answers that may have it later."""
MOVED = frozenset((301, 302, 303, 307, 308))


class Manners(NamedTuple):
    """How much is asked of a host, and taken from it."""

    connections: int = 2
    """At a time to one host."""
    most_bytes: int = 20 * 2**20
    """Of a picture."""
    seconds: float = 60.0
    """For a picture, from its first byte to its last."""
    is_allowed: Callable[[str], bool] = is_public
    """Whether an address may be connected to."""


class _Later(Exception):  # noqa: N818 - no error but an answer
    """It may go better in a while."""

    def __init__(self, host: str, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.host = host
        self.wait = wait


class Downloader:
    """Downloads from any number of threads, which hold back together where a host asks for it."""

    def __init__(self, manners: Manners, stop: Event, *, keeps: bool = True) -> None:
        """Open no connection yet; once `stop` is set, nobody waits any longer.

        `keeps` says whether connections stay open for the next picture of their host.
        """
        self._keeps = keeps
        self._manners = manners
        self._stop = stop
        self._certificates = httpx.create_ssl_context()
        self._lock = Lock()
        self._clients: dict[tuple[str, str, int | None], httpx.Client] = {}
        self._not_before: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._given_up: dict[str, str] = {}

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()

    def download(self, url: str) -> bytes:
        """Download what a URL leads to.

        Raises:
            BadRowError: It cannot be had; the reason is for a list.
        """
        for tries in range(1, TRIES + 1):
            try:
                return self._follow(url)
            except _Later as later:
                wait = FIRST_WAIT * 2 ** (tries - 1) * random.uniform(1.0, 1.2)
                wait = wait if later.wait is None else later.wait
                reason = str(later)
                if wait > LONGEST_WAIT:
                    reason += f", to be asked again in {wait:.0f} s"
                    self._give_up(later.host, reason)
                elif tries < TRIES and not self._stop.is_set():
                    self._hold_back(later.host, wait)
                    continue
                elif self._failed(later.host) >= FAILURES:
                    self._give_up(later.host, reason)
                raise BadRowError(reason) from later
        raise AssertionError("the last try returns or raises")

    def _follow(self, url: str) -> bytes:
        for _ in range(REDIRECTS + 1):
            answer = self._ask(_parse(url))
            if isinstance(answer, bytes):
                return answer
            url = answer
        raise BadRowError(f"more than {REDIRECTS} redirects")

    def _ask(self, url: httpx.URL) -> bytes | str:
        """Ask one host once; returns what it sends, or where it redirects to."""
        self._wait_for(url.host)
        try:
            with self._client(url).stream("GET", url) as response:
                status = response.status_code
                if status in MOVED and "location" in response.headers:
                    return str(url.join(response.headers["location"]))
                if status in BUSY:
                    raise _Later(url.host, _name(status), _wished(response.headers))
                self._failures[url.host] = 0
                if status != HTTPStatus.OK:
                    raise BadRowError(_name(status))
                return self._read(response)
        except httpx.TimeoutException as error:
            raise _Later(url.host, "no answer in time") from error
        except httpx.TransportError as error:
            raise _Later(url.host, f"connection failed ({error})") from error
        except httpx.InvalidURL as error:
            raise BadRowError(f"answer cannot be understood ({error})") from error

    def _read(self, response: httpx.Response) -> bytes:
        # Nobody was asked to pack a picture, and a few bytes may unpack to many GiB at once.
        if (packed := response.headers.get("content-encoding", "identity")) != "identity":
            raise BadRowError(f"answer is packed ({packed}), which was not asked for")
        most, until = self._manners.most_bytes, monotonic() + self._manners.seconds
        data = bytearray()
        for piece in response.iter_raw():
            data += piece
            if len(data) > most:
                raise BadRowError(f"larger than {most / 2**20:g} MiB")
            if monotonic() > until:
                raise BadRowError(f"takes longer than {self._manners.seconds:g} s")
        return bytes(data)

    def _client(self, url: httpx.URL) -> httpx.Client:
        # One per host: two of one address must not be given each other's encrypted connections.
        key = url.scheme, url.host, url.port
        with self._lock:
            if key not in self._clients:
                self._clients[key] = httpx.Client(
                    transport=_CheckedTransport(self._certificates, self._manners, self._keeps),
                    headers={
                        "User-Agent": AGENT,
                        "Accept": "image/*",
                        "Accept-Encoding": "identity",
                    },
                    timeout=min(SILENCE, self._manners.seconds),
                    # A proxy would look the host up itself.
                    trust_env=False,
                )
            return self._clients[key]

    def _hold_back(self, host: str, wait: float) -> None:
        with self._lock:
            now = monotonic()
            self._not_before[host] = max(self._not_before.get(host, now), now + wait)

    def _failed(self, host: str) -> int:
        with self._lock:
            self._failures[host] = self._failures.get(host, 0) + 1
            return self._failures[host]

    def _give_up(self, host: str, reason: str) -> None:
        self._given_up[host] = f"not asked, as {host} was given up ({reason}); run again later"

    def _wait_for(self, host: str) -> None:
        while True:
            if host in self._given_up:
                raise BadRowError(self._given_up[host])
            left = self._not_before.get(host, 0.0) - monotonic()
            if left <= 0:
                return
            if self._stop.wait(left):
                raise BadRowError("stopped")


class _CheckedTransport(httpx.BaseTransport):
    """Looks a host up, and connects to the very address that was checked."""

    def __init__(self, certificates: object, manners: Manners, keeps: bool) -> None:
        kept = manners.connections if keeps else 0
        limits = httpx.Limits(max_connections=manners.connections, max_keepalive_connections=kept)
        self._inner = httpx.HTTPTransport(verify=certificates, limits=limits)  # type: ignore[arg-type]
        self._is_allowed = manners.is_allowed

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.raw_host.decode("ascii")
        found = resolve(host, request.url.port or (443 if request.url.scheme == "https" else 80))
        allowed = [address for address in found if self._is_allowed(address)]
        if not allowed:
            raise BadRowError(
                f"{host} is in a private network ({found[0]}), which only --allow-private asks"
            )
        for address in allowed:
            try:
                return self._inner.handle_request(_to(address, request, host))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if address == allowed[-1]:
                    raise
        raise AssertionError("the last address returns or raises")

    def close(self) -> None:
        self._inner.close()


def _to(address: str, request: httpx.Request, host: str) -> httpx.Request:
    """The same request to an address, with the name for the host and its certificate."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        extensions={**request.extensions, "sni_hostname": host},
    )


def _parse(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise BadRowError(f"no URL ({error})") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise BadRowError(f"no URL of http or https: {parsed.scheme or url}")
    return parsed


def _name(status: int) -> str:
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"


def _wished(headers: httpx.Headers) -> float | None:
    """Seconds that a host asks to be left alone for; None: it does not say."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
