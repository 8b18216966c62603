import asyncio
import os
import signal
import socket
import threading
import time
from contextlib import contextmanager

import httpx
import pytest

from pipeline.core.errors import InputError
from pipeline.serve import server
from pipeline.serve.limits import Limits
from pipeline.serve.server import listen, make_server

WAIT = 20


def test_an_address_that_is_taken_or_none_is_told():
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(InputError, match=rf"127.0.0.1 port {port}: .* --port"):
            listen("127.0.0.1", port)
    listen("127.0.0.1", port).close()
    for host in ("192.0.2.1", "no such host"):
        with pytest.raises(InputError, match=f"{host} port 0: "):
            listen(host, 0)


def test_a_connection_s_second_answer_waits_for_no_word_of_the_client():
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@contextmanager
def served(service, proxy=None):
    """Where a server in a thread can be asked."""
    listener, running = listen("127.0.0.1", 0), make_server(service, proxy)
    thread = threading.Thread(target=lambda: asyncio.run(running.serve([listener])))
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        running.should_exit = True
        thread.join(WAIT)
        listener.close()


def closed_after(address, *parts, pause=0.1):
    """Seconds until the server closes a connection that sends these parts slowly."""
    start = time.monotonic()
    with socket.create_connection(address, timeout=WAIT) as connection:
        for part in parts:
            try:
                connection.sendall(part)
            except OSError:
                break
            time.sleep(pause)
        answer = b""
        while True:
            try:
                data = connection.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                return time.monotonic() - start, answer
            answer += data


def test_a_head_that_drips_is_not_waited_for(make_service, monkeypatch):
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.5)
    with served(make_service()) as address:
        nothing, _ = closed_after(address)
        first, _ = closed_after(address, *[b"GET"] + [b"x"] * 30)
        whole = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        second, answer = closed_after(address, whole, b"GET /", *[b"x"] * 30)
    assert answer.startswith(b"HTTP/1.1 200")
    for seconds in (nothing, first, second):
        assert 0.4 < seconds < 3.5


def test_a_body_that_drips_is_answered_in_time(make_service):
    head = b"POST /search HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n"
    with served(make_service(limits=Limits(timeout=0.5))) as address:
        seconds, answer = closed_after(address, head, *[b" "] * 30)
    assert answer.startswith(b"HTTP/1.1 408")
    assert seconds < 3.5


def test_a_proxy_says_who_the_client_is_if_it_is_believed(make_service):
    one, other = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"}
    for proxy, statuses in ((None, [200, 429, 429]), ("127.0.0.1", [200, 429, 200])):
        service = make_service(limits=Limits(rate=1))
        with served(service, proxy) as (host, port):
            url = f"http://{host}:{port}/v1/models"
            found = [httpx.get(url, headers=who).status_code for who in (one, one, other)]
        assert found == statuses


def test_a_hangup_reads_the_model_again(make_service):
    service = make_service()
    reloaded = threading.Event()
    service.reload = reloaded.set

    async def run():
        async with server._reload_on_hangup(service):
            os.kill(os.getpid(), signal.SIGHUP)
            return await asyncio.to_thread(reloaded.wait, WAIT)

    assert asyncio.run(run())
