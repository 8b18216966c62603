import asyncio

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from pipeline.serve.guard import Guard
from pipeline.serve.limits import SMALL_BODY, Limits
from pipeline.serve.meters import Meters
from pipeline.serve.refused import RefusedError

TOKEN = "t" * 20


async def size(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def fail(request: Request) -> PlainTextResponse:
    raise KeyError((await request.body()).decode())


async def sleep(request: Request) -> PlainTextResponse:
    await asyncio.sleep(10)
    raise AssertionError


async def refused(request, error):
    return error.response()


@pytest.fixture
def warned():
    return []


@pytest.fixture
def make(warned):
    def make(token=None, host="192.0.2.1", **limits):
        routes = [
            *(Route("/size", size, methods=["POST"]), Route("/fail", fail, methods=["POST"])),
            *(Route("/sleep", sleep), Route("/healthz", size)),
        ]
        app = Starlette(routes=routes, exception_handlers={RefusedError: refused})
        meters = Meters()
        guard = Guard(app, Limits(**limits), token, meters, warned.append)
        client = TestClient(guard, client=(host, 1), raise_server_exceptions=False)
        client.meters, client.guard = meters, guard
        return client

    return make


def error_of(response):
    return response.json()["error"]


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN} ", 200),
        (f"Basic {TOKEN}", 401),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        ("Bearer", 401),
        ("Bearer t\u00e9", 401),
        (TOKEN, 401),
        (None, 401),
    ],
)
def test_who_knows_the_token_is_let_in(make, given, status):
    headers = {} if given is None else {"Authorization": given.encode("latin-1")}
    response = make(TOKEN).post("/size", headers=headers)
    assert response.status_code == status
    if status == 401:
        assert response.headers["www-authenticate"] == "Bearer"
        assert error_of(response)["code"] == "invalid_api_key"


def test_health_is_open_and_nothing_that_is_called_alike(make):
    client = make(TOKEN, rate=1)
    assert [client.get("/healthz").status_code for _ in range(3)] == [200] * 3
    for path in ("/healthz/", "/healthzz", "/docs/x", "/metrics", "/HEALTHZ", "//healthz"):
        assert make(TOKEN).get(path).status_code == 401, path


def test_a_body_is_counted_whatever_its_head_says(make):
    client = make(max_bytes=1000)
    assert client.post("/size", content=b"x" * 1000).text == "1000"
    whole = client.post("/size", content=b"x" * 1001)
    parts = client.post("/size", content=iter([b"x" * 900, b"x" * 101]))
    lies = client.post("/size", content=b"", headers={"content-length": "9" * 30})
    for response in (whole, parts, lies):
        assert response.status_code == 413
        assert response.headers["connection"] == "close"
        assert "more than 1000 bytes" in error_of(response)["message"]


def test_what_others_send_leaves_room_for_small_bodies_alone(make):
    client = make(max_bytes=2 * SMALL_BODY)
    client.guard._held = 16 * SMALL_BODY
    large = client.post("/size", content=b"x" * (SMALL_BODY + 1))
    assert (large.status_code, large.headers["retry-after"]) == (503, "1")
    assert client.post("/size", content=b"x" * 100).status_code == 200
    assert client.guard._held == 16 * SMALL_BODY
    client.guard._held = 0
    assert client.post("/size", content=b"x" * (SMALL_BODY + 1)).status_code == 200


def test_so_many_requests_a_minute_are_answered_to_each_client(make):
    client = make(rate=3)
    answers = [client.post("/size") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert error_of(answers[3])["code"] == "rate_limit_exceeded"
    assert 1 <= int(answers[3].headers["retry-after"]) <= 120


def test_a_network_of_ipv6_is_one_client(make):
    client = make(rate=1, host="2001:db8::1")
    assert client.post("/size").status_code == 200
    for host, status in (("2001:db8::2", 429), ("2001:db8:0:1::1", 200)):
        other = TestClient(client.guard, client=(host, 1))
        assert other.post("/size").status_code == status


def test_a_request_takes_no_longer_than_it_may(make):
    response = make(timeout=0.05).get("/sleep")
    assert response.status_code == 504
    assert error_of(response)["message"] == "no answer within 0.05 seconds: ask for less"


def test_a_body_that_does_not_come_is_not_waited_for(make):
    sent = []

    async def run():
        parts = iter([{"type": "http.request", "body": b"x", "more_body": True}])

        async def receive():
            part = next(parts, None)
            return part or await asyncio.sleep(10)

        async def send(message):
            sent.append(message)

        scope = {
            **{"type": "http", "method": "POST", "path": "/size", "headers": []},
            **{"query_string": b"", "client": ("192.0.2.1", 1), "server": ("h", 80)},
        }
        await make(timeout=0.05).guard(scope, receive, send)

    asyncio.run(run())
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


def test_a_request_has_a_name(make):
    client = make()
    own = client.post("/size", headers={"X-Request-ID": "my-1"})
    assert own.headers["x-request-id"] == "my-1"
    for bad in ("a b", "<script>", "x" * 65, ""):
        name = client.post("/size", headers={"X-Request-ID": bad}).headers["x-request-id"]
        assert name.isalnum()
        assert len(name) == 32


def test_what_fails_is_told_by_its_name_without_what_was_sent(make, warned):
    response = make().post("/fail", content=b"secret", headers={"X-Request-ID": "my-1"})
    assert response.status_code == 500
    (line,) = warned
    assert line.startswith("request my-1: POST /fail: KeyError\n")
    assert "in fail" in line
    assert "secret" not in line


def test_requests_are_counted_by_routes_of_the_server_alone(make):
    client = make()
    client.post("/size")
    client.get("/other/1")
    client.get("/other/2")
    figures = client.meters.response().body.decode()
    assert 'huse_requests_total{route="/size",status="200"} 1.0' in figures
    assert 'huse_requests_total{route="other",status="404"} 2.0' in figures
    assert "/other/" not in figures
