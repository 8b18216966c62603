import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

pytest.importorskip("fastapi", reason="extra explore is not installed")

WAIT = 60


@contextmanager
def running(project, *options):
    """The command, and the address that it says."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "stages", "explore", "--port", str(port), *options],
        cwd=project.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said.endswith(f":{port} until Ctrl-C\n")
        yield port, process
    finally:
        process.terminate()
        process.wait(WAIT)


def page(port, path=""):
    deadline = time.monotonic() + WAIT
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}") as response:
                return response.read().decode()
        except urllib.error.HTTPError:
            raise
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_the_page_is_served_on_this_machine_alone_with_the_review(finished_project):
    with running(finished_project) as (port, _):
        assert "HUSE explorer" in page(port)
        assert '<a href="review/">Review (' in page(port)
        assert "Is it filed wrongly?" in page(port, "review/")
        # Every address of 127/8 is this machine; a server for all addresses would answer here.
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", port)):
            pass


def test_what_changes_a_file_is_not_for_the_network(finished_project):
    with running(finished_project, "--host", "0.0.0.0") as (port, _):
        assert "Review" not in page(port)
        with pytest.raises(urllib.error.HTTPError):
            page(port, "review/")


def test_another_experiment_is_compared_and_old_findings_do_not_matter(project, tmp_path):
    other = tmp_path / "other"
    for name in ("model", "index"):
        shutil.copytree(project.root / "data" / name, other / name)
    table = project.root / "data" / "audit" / "items.csv"
    header, first, *_ = table.read_text().splitlines()
    table.write_text(f"{header}\nnobody,{first.partition(',')[2]}\n")
    with running(project, "--against", str(other)) as (port, process):
        html = page(port, "compare?q=heart&k=3")
        assert "3 of 3 items are in both lists (100%)" in html
        assert f"<h2>{other / 'model'}</h2>" in html
        assert "Review" not in html
        process.terminate()
        assert "explore: warning: no review: data/audit/items.csv: item nobody is not in" in (
            process.stderr.read()
        )


def test_mistakes_are_told(project):
    assert "nowhere not found" in project.refuse("explore", "--images", "nowhere")
    assert "no index here" in project.refuse("explore", "--index", "nowhere")
    assert "nowhere/model" in project.refuse("explore", "--against", "nowhere")
    assert "--against: data is the folder of data/model itself" in project.refuse(
        "explore", "--against", "data"
    )
