import socket
import subprocess
import sys
import time
import urllib.request

import pytest

pytest.importorskip("gradio", reason="extra explore is not installed")

WAIT = 60


def test_the_page_is_served_on_this_machine_alone(finished_project):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "stages", "explore", "--port", str(port)],
        cwd=finished_project.root,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == f"explore: http://127.0.0.1:{port} until Ctrl-C\n"
        deadline = time.monotonic() + WAIT
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as response:
                    assert b"HUSE explorer" in response.read()
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        # Every address of 127/8 is this machine; a server for all addresses would answer here.
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", port)):
            pass
    finally:
        process.terminate()
        process.wait(WAIT)


def test_mistakes_are_told(project):
    assert "nowhere not found" in project.refuse("explore", "--images", "nowhere")
    assert "no index here" in project.refuse("explore", "--index", "nowhere")
