import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import pandas as pd
import pytest

pytest.importorskip("fastapi", reason="extra explore is not installed")

WAIT = 60


def test_what_is_decided_outlives_a_killed_server(project):
    items = pd.read_csv(project.root / "data" / "audit" / "items.csv")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "stages", "review", "--port", str(port)],
        cwd=project.root,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert f"to decide at {address} until Ctrl-C; decisions go to decisions.csv" in said
        deadline = time.monotonic() + WAIT
        while True:
            try:
                with urllib.request.urlopen(address) as response:
                    assert b"HUSE review" in response.read()
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        form = urllib.parse.urlencode({"place": 0, "decision": "keep"}).encode()
        request = urllib.request.Request(f"{address}/decide", form, {"Origin": address})
        with urllib.request.urlopen(request) as response:
            assert response.status == 200
    finally:
        process.kill()
        process.wait(WAIT)
    first = items.iloc[0]
    assert (project.root / "decisions.csv").read_text().splitlines()[1:] == [
        f"{first['item_id']},{first['path']},keep,"
    ]


def test_mistakes_are_told(project):
    assert "nowhere not found" in project.refuse("review", "--images", "nowhere")
    assert "run huse audit first" in project.refuse("review", "--findings", "nowhere")
    (project.root / "decisions.csv").write_text("item_id\n")
    assert "decisions.csv: no column class_path" in project.refuse("review")
