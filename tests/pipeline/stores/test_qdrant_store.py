import json
from contextlib import closing
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from qdrant_client import QdrantClient, models

from pipeline.core.errors import InputError
from pipeline.stores.qdrant_store import QdrantStore, point_id
from tests.pipeline.stores import contract

pytestmark = pytest.mark.slow  # Qdrant takes seconds to import


@pytest.fixture
def open_store(tmp_path):
    return partial(QdrantStore, str(tmp_path / "points"), "items")


def test_searches_equal_those_of_the_index(tmp_path, open_store, catalogue):
    def search(query_D, k, within, asked):
        wanted = []
        if within is not None:
            value = models.MatchValue(value=within)
            wanted.append(models.FieldCondition(key="class_nodes", match=value))
        if asked:
            nike = models.MatchValue(value="Nike")
            wanted.append(models.FieldCondition(key="price", range=models.Range(lt=5)))
            wanted.append(models.FieldCondition(key="brand", match=nike))
        with closing(QdrantClient(path=str(tmp_path / "points"))) as client:
            found = client.query_points(
                "items", query=query_D, query_filter=models.Filter(must=wanted), limit=k
            )
        return [(point.payload["item_id"], 1 - point.score) for point in found.points]

    contract.check_searches_equal_those_of_the_index(open_store, search, catalogue)


def test_a_collection_follows_the_catalogue(open_store, make_rows):
    contract.check_a_collection_follows_the_catalogue(open_store, make_rows)


def test_a_killed_run_is_completed_by_another(open_store, make_rows, monkeypatch):
    contract.check_a_killed_run_is_completed_by_another(open_store, make_rows, monkeypatch)


def test_what_cannot_be_mixed_is_refused(open_store, make_rows):
    contract.check_what_cannot_be_mixed_is_refused(open_store, make_rows)


def test_the_payload_is_all_that_is_known_and_dates_can_be_compared(
    tmp_path, open_store, make_rows
):
    contract.fill(open_store, make_rows(range(30)))
    late = models.DatetimeRange(gt="2024-01-27")
    with closing(QdrantClient(path=str(tmp_path / "points"))) as client:
        (point,) = client.retrieve("items", [point_id("it's-0")])
        found = client.count("items", models.Filter(must=[{"key": "day", "range": late}]))
    assert point.payload["class_nodes"] == ["shoes", "shoes<boots", "shoes<boots<ankle"]
    assert point.payload["price"] == 0.9
    assert point.payload["shoe size"] == 0
    assert point.payload["brand"] is None
    assert point.payload["seen"] == "2024-01-01T12:00:00"
    assert "vector" not in point.payload
    assert found.count == 1  # the 28th


def test_a_folder_that_is_something_else_is_left_alone(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").touch()
    with pytest.raises(InputError, match="is a file"):
        QdrantStore(str(tmp_path / "file"), "items")
    with pytest.raises(InputError, match="holds something else"):
        QdrantStore(str(tmp_path / "full"), "items")


def test_a_folder_that_another_program_uses_is_one_line(open_store):
    with (
        closing(open_store()),
        pytest.raises(InputError, match=r"collection items: .* already accessed"),
    ):
        open_store()


def test_a_collection_of_somebody_else_is_left_alone(tmp_path, open_store, make_rows):
    with closing(QdrantClient(path=str(tmp_path / "points"))) as client:
        size = models.VectorParams(size=16, distance=models.Distance.COSINE)
        client.create_collection("items", vectors_config=size)
    for replace in (False, True):
        with pytest.raises(InputError, match="not made by huse export; choose another --name"):
            contract.fill(open_store, make_rows(range(3)), replace=replace)


def test_a_server_that_does_not_answer_is_one_line_without_a_password(recwarn):
    store = partial(QdrantStore, "http://user:hush@127.0.0.1:9", "items")
    with pytest.raises(InputError, match=r"^http://127.0.0.1:9, collection items: ") as caught:
        contract.ids_of(store)
    assert "refused" in str(caught.value)
    assert not [one for one in recwarn if "hush" in str(one.message)]


def test_a_server_is_asked_with_the_key_of_the_environment(monkeypatch):
    asked = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers["api-key"]))
            body = json.dumps({"result": {"exists": False}, "status": "ok", "time": 0}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    monkeypatch.setenv("QDRANT_API_KEY", "hush")
    server = HTTPServer(("127.0.0.1", 0), Server)
    Thread(target=server.serve_forever, daemon=True).start()
    with pytest.warns(UserWarning, match="insecure connection"):
        store = QdrantStore(f"http://127.0.0.1:{server.server_port}", "items")
    with closing(store):
        assert store.describe() is None
    server.shutdown()
    assert asked == [("/collections/items/exists", "hush")]
