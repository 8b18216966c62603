import csv
import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("fastapi", reason="extra explore is not installed")

from fastapi.testclient import TestClient

from stages.review import make_queue_page

WAIT = 60
DOCS = Path(__file__).parents[2] / "docs"


@contextmanager
def reviewing(project, *options):
    """A process that serves the page, killed in the end: what it says, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "stages", "review", "--port", str(port), *options],
        cwd=project.root,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        deadline = time.monotonic() + WAIT
        while True:
            try:
                with urllib.request.urlopen(address) as response:
                    assert b"HUSE review" in response.read()
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield said, address
    finally:
        process.kill()
        process.wait(WAIT)


def decide(address, **answer):
    form = urllib.parse.urlencode(answer).encode()
    request = urllib.request.Request(f"{address}/decide", form, {"Origin": address})
    with urllib.request.urlopen(request) as response:
        assert response.status == 200


def test_what_is_decided_outlives_a_killed_server(project):
    items = pd.read_csv(project.root / "data" / "audit" / "items.csv")
    with reviewing(project) as (said, address):
        assert f"to decide at {address} until Ctrl-C; decisions go to decisions.csv" in said
        decide(address, place=0, decision="keep")
    first = items.iloc[0]
    assert (project.root / "decisions.csv").read_text().splitlines()[1:] == [
        f"{first['item_id']},{first['path']},keep,"
    ]


def test_what_is_labelled_outlives_a_killed_server(project):
    queue = project.root / "queue.csv"
    queue.write_text("image,text,classes,suggested,probability\n,hat,,hats,0.4\n,cap,,hats,0.3\n")
    with reviewing(project, "--queue", "queue.csv") as (said, address):
        assert said == (
            f"review: 2 items to label at {address} until Ctrl-C; classes go to queue.csv, "
            "labelled rows to queue_labelled.csv too\n"
        )
        decide(address, place=0, decision="label", class_path="hats")
    assert queue.read_text().splitlines()[1:] == [",hat,hats,hats,0.4,", ",cap,,hats,0.3,"]
    labelled = project.root / "queue_labelled.csv"
    assert labelled.read_text() == "image,text,classes\n,hat,hats\n"
    with reviewing(project, "--queue", "queue.csv") as (said, _):
        assert said.startswith("review: 1 item to label at")


def test_mistakes_are_told(project):
    assert "nowhere not found" in project.refuse("review", "--images", "nowhere")
    assert "run huse audit first" in project.refuse("review", "--findings", "nowhere")
    (project.root / "decisions.csv").write_text("item_id\n")
    assert "decisions.csv: no column class_path" in project.refuse("review")


def run(project, *words):
    result = project.huse(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def label(project, *answers):
    """Answer on the page, one item after the other; gives the queue that is left."""
    root = project.root
    paths = [
        root / "params.yaml",
        root / "data/catalog/items.parquet",
        root / "data/drift/queue.csv",
    ]
    app, session = make_queue_page(*paths, root / "new")
    page = TestClient(app, base_url="http://127.0.0.1", headers={"Origin": "http://127.0.0.1"})
    assert "HUSE review" in page.get("/").text
    for place, answer in enumerate(answers):
        assert page.post("/decide", data={"place": place, **answer}).status_code == 200
    return session


def test_what_was_served_is_labelled_found_and_part_of_the_next_catalogue(project, monkeypatch):
    root, pictures = project.root, project.root / "data/raw/openmoji/images"
    # The catalogue calls its columns otherwise than the tables that are served.
    table = root / "data/raw/openmoji/catalog.csv"
    table.write_text(table.read_text("utf-8").replace("text,classes", "title,path", 1), "utf-8")
    assert table.read_text("utf-8").startswith("image,title,path")
    project.set({"catalog.columns.text": "title", "catalog.columns.classes": "path"})
    (root / "new").mkdir()
    shutil.copy(next(pictures.iterdir()), root / "new" / "unseen.png")
    lines = ["image,name", "unseen.png,zyzzyva", ',"dog, at sea"', ",red balloon", ",green tree"]
    (root / "new.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    columns = ("--images", "new", "--text-column", "name", "--image-column", "image")
    run(project, "classify", "new.csv", *columns, "--log", "data/drift_log")
    assert "drift: 4 items to label in data/drift/queue.csv\n" in run(
        project, "drift", "--queue", "9"
    )
    queue = rows_of(root / "data/drift/queue.csv")
    assert list(queue[0])[:4] == ["image", "title", "path", "suggested"]
    known = set(pd.read_parquet(root / "data/catalog/items.parquet")["class_path"])
    assert all(row["suggested_3"] in known for row in queue)
    own = {row["title"]: row["suggested_2"] for row in queue}

    answer_of = {
        "zyzzyva": {"decision": "label", "class_path": own["zyzzyva"]},
        "dog, at sea": {"decision": "label", "class_path": "Own<new"},
        "red balloon": {"decision": "none"},
        "green tree": {"decision": "skip"},
    }
    label(project, *(answer_of[row["title"]] for row in queue))
    left = label(project)
    assert [one.text for one in left.items] == ["green tree"]
    labelled = rows_of(root / "data/drift/queue_labelled.csv")
    assert {row["title"]: (row["image"], row["path"]) for row in labelled} == {
        "zyzzyva": ("unseen.png", own["zyzzyva"]),
        "dog, at sea": ("", "Own<new"),
    }

    said = run(project, "index", "add", "data/drift/queue_labelled.csv", "--images", "new")
    assert said.startswith("index: 2 items added; no rows rejected")
    (hit,) = json.loads(run(project, "search", "sea", "--in", "Own", "--json"))["hits"]
    assert hit["text"] == "dog, at sea"

    # The next queue asks for what is left alone.
    said = run(project, "drift", "--queue", "9")
    assert "drift: 1 item to label in data/drift/queue.csv, behind 3 rows that are decided" in said
    assert [row["title"] for row in rows_of(root / "data/drift/queue.csv")][3:] == ["green tree"]

    shutil.copy(root / "new" / "unseen.png", pictures)
    page = (DOCS / "decide.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    monkeypatch.chdir(root)
    exec(code.replace("products.csv", "data/raw/openmoji/catalog.csv"), {})
    before = pd.read_parquet(root / "data/catalog/items.parquet")
    run(project, "catalog")
    items = pd.read_parquet(root / "data/catalog/items.parquet")
    assert len(items) == len(before) + 2
    assert items.iloc[:-2].equals(before)
    assert items.iloc[-2:].set_index("text")["class_path"].to_dict() == {
        row["title"]: row["path"] for row in labelled
    }


def test_mistakes_with_a_queue_are_told(project):
    assert project.refuse("review", "--queue", "no.csv") == "no.csv: not found"
    (project.root / "queue.csv").write_text("text,path\nhat,\n", encoding="utf-8")
    message = project.refuse("review", "--queue", "queue.csv")
    assert message == "queue.csv: no column image, classes; it has text, path"
    (project.root / "queue.csv").write_text("image,text,classes,decision\n,hat,,x\n", "utf-8")
    message = project.refuse("review", "--queue", "queue.csv")
    assert message.startswith("queue.csv: row 1: decision 'x' is none of none, skip")
