import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

pytest.importorskip("fastapi_offline", reason="extra serve is not installed")

from pipeline.core.errors import InputError
from stages.serve import TOKEN, read_token

WAIT = 60


@contextmanager
def served(root, *options, port=0, **environment):
    """A server as a user starts it: its process and a client."""
    process = subprocess.Popen(
        [sys.executable, "-m", "stages", "serve", "--port", str(port), *options],
        cwd=root,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("serve: http://127.0.0.1:"), process.stderr.read()
        address = line.split()[1]
        with httpx.Client(base_url=address, timeout=WAIT, trust_env=False) as client:
            yield process, client
    finally:
        process.kill()
        process.wait(WAIT)


def port_of(client):
    return client.base_url.port


def wait_until_refused(address):
    deadline = time.monotonic() + WAIT
    with contextlib.suppress(ConnectionRefusedError):
        while time.monotonic() < deadline:
            socket.create_connection(address).close()
    assert time.monotonic() < deadline


def search(client, text="red heart", **rest):
    return client.post("/search", json={"text": text, **rest})


@pytest.fixture(scope="module")
def picture(finished_project):
    folder = finished_project.root / "data" / "raw" / "openmoji" / "images"
    return min(folder.iterdir()).read_bytes()


@pytest.fixture(scope="module")
def two_models(finished_project, tmp_path_factory):
    """A project, and the same with another model."""
    other = finished_project.copy(tmp_path_factory.mktemp("other") / "project")
    other.set({"train.steps": 20})
    for stage in ("train", "evaluate", "index"):
        result = other.huse(stage)
        assert result.exit_code == 0, result.output
    return finished_project.root / "data", other.root / "data"


def test_it_serves_this_machine_alone_and_outlives_a_kill(finished_project, picture):
    root = finished_project.root
    with served(root) as (process, client):
        first = search(client).json()
        assert len(first["hits"]) == 10
        by_picture = client.post("/search", files={"image": picture}, data={"k": "1"}).json()
        assert by_picture["modality"] == "image"
        port = port_of(client)
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", port)):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait(WAIT)
        with pytest.raises(httpx.TransportError):
            search(client)
        with served(root, port=port) as (_, again):
            assert search(again).json() == first
            # The connection that the killed one left is opened anew.
            assert search(client).json() == first


def test_what_is_under_way_is_finished_before_it_stops(finished_project):
    body = b'{"text": "red heart"}'
    head = b"POST /search HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(body)
    with served(finished_project.root) as (process, client):
        address = "127.0.0.1", port_of(client)
        with socket.create_connection(address, timeout=WAIT) as connection:
            connection.sendall(head + body[:5])
            assert client.get("/healthz").status_code == 200
            process.send_signal(signal.SIGTERM)
            wait_until_refused(address)
            connection.sendall(body[5:])
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 200")
        assert b'"hits": [{' in answer
        assert process.wait(WAIT) in (0, -signal.SIGTERM)


@pytest.mark.parametrize("ask_for_it", ["by request", "by signal"])
def test_another_model_takes_over_and_no_request_is_lost(two_models, tmp_path, picture, ask_for_it):
    old, new = two_models
    (tmp_path / "data").symlink_to(old)
    stop, answers = threading.Event(), []

    def keep_asking(number):
        with httpx.Client(base_url=client.base_url, timeout=WAIT, trust_env=False) as own:
            while not stop.is_set():
                answers.append(
                    own.post("/search", files={"image": picture})
                    if number == 0
                    else search(own, f"red heart {random.random()}", k=number)
                )

    with served(tmp_path) as (process, client), ThreadPoolExecutor(6) as pool:
        names = [client.get("/healthz").json()["model"]]
        asking = [pool.submit(keep_asking, number) for number in range(6)]
        time.sleep(0.5)
        (tmp_path / "next").symlink_to(new)
        (tmp_path / "next").rename(tmp_path / "data")
        if ask_for_it == "by request":
            told = client.post("/admin/reload").json()
            assert told["before"] == names[0]
        else:
            process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + WAIT
        while (name := client.get("/healthz").json()["model"]) == names[0]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        names.append(name)
        assert search(client).headers["x-model"] == name
        time.sleep(0.5)
        stop.set()
        for future in asking:
            future.result(WAIT)
        # A model that is gone takes nothing away.
        (tmp_path / "data").unlink()
        refused = client.post("/admin/reload")
        assert refused.status_code == 409
        assert "model.json" in refused.json()["error"]["message"]
        assert search(client).headers["x-model"] == name
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    by_model = [answer.headers["x-model"] for answer in answers]
    assert set(by_model) == set(names)


def test_bad_clients_are_no_trouble_for_good_ones(finished_project, picture):
    slow = []

    def drip(port):
        connection = socket.create_connection(("127.0.0.1", port))
        slow.append(connection)
        head = b"POST /search HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999\r\n\r\n"
        connection.sendall(random.choice([b"GET / HT", head, head + b'{"text": "']))

    def leave(port):
        body = b'{"text": "red"}'
        head = b"POST /search HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(head % len(body) + body)

    def huge():
        return client.post("/search", content=b"x" * 2**21).status_code

    def broken():
        return client.post("/search", files={"image": picture[:200]}).status_code

    with (
        served(finished_project.root, "--max-bytes", str(2**20), "--queue", "8") as (_, client),
        ThreadPoolExecutor(16) as pool,
    ):
        port = port_of(client)
        bad = []
        for _ in range(30):
            pool.submit(drip, port)
            pool.submit(leave, port)
            bad += [pool.submit(huge), pool.submit(broken)]
        good = [pool.submit(search, client, f"red {n}") for n in range(100)]
        statuses = [future.result(WAIT).status_code for future in good]
        assert {future.result(WAIT) for future in bad} <= {400, 413, 503}
        # So few may wait here that some are told to ask again.
        assert set(statuses) <= {200, 503}
        assert statuses.count(200) > 20
        assert search(client).status_code == 200
        for connection in slow:
            connection.close()


def test_who_knows_the_token_is_answered(finished_project, tmp_path):
    (tmp_path / "token").write_text("secret-" * 4 + "\n")
    options = ["--token-file", str(tmp_path / "token"), "--rate", "2"]
    with served(finished_project.root, *options) as (_, client):
        assert client.get("/healthz").status_code == 200
        assert search(client).status_code == 401
        client.headers["Authorization"] = "Bearer " + "secret-" * 4
        assert [search(client).status_code for _ in range(2)] == [200, 429]
    with served(finished_project.root, **{TOKEN: "other-" * 4}) as (_, client):
        assert search(client).status_code == 401


def test_a_token_is_read_from_a_file_or_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv(TOKEN, raising=False)
    assert read_token(None) is None
    monkeypatch.setenv(TOKEN, " " + "e" * 16)
    assert read_token(None) == "e" * 16
    (tmp_path / "token").write_text("f" * 16 + "\n")
    assert read_token(tmp_path / "token") == "f" * 16
    for bad in ("", "short", "two words of a text", "\u00e9" * 20):
        (tmp_path / "token").write_text(bad)
        with pytest.raises(InputError, match="openssl rand"):
            read_token(tmp_path / "token")
    with pytest.raises(InputError, match="cannot be read"):
        read_token(tmp_path / "nowhere")


def test_mistakes_are_told(finished_project):
    said = finished_project.refuse("serve", "--port", "0", "--index", "nowhere")
    assert "nowhere: no index here" in said
    assert "model.json" in finished_project.refuse("serve", "--port", "0", "--model", "nowhere")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = finished_project.refuse("serve", "--port", str(port))
        assert said.startswith(f"127.0.0.1 port {port}: Address already in use; give another")
    said = finished_project.refuse("serve", "--token-file", str(Path("nowhere")))
    assert said.startswith("--token-file nowhere: cannot be read")
