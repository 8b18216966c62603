import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from fastapi.testclient import TestClient

from pipeline.core.errors import InputError
from pipeline.serve.answers import (
    ClassifyAnswer,
    EmbedAnswer,
    ErrorAnswer,
    ModelAnswer,
    ReloadAnswer,
    SearchAnswer,
)
from pipeline.serve.limits import Limits
from pipeline.serve.loaded import load_checked
from pipeline.use.current import Stored
from tests.pipeline.serve.conftest import encoded

WAIT = 20
TOKEN = "t" * 20
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}


def test_a_text_a_picture_and_both_are_searched(client, huse, picture, picture_folder):
    path = min(picture_folder.iterdir())
    for by_json, v in (
        ({"text": "red heart"}, huse.embed(None, ["red heart"])),
        ({"image": encoded(picture)}, huse.embed([path])),
        ({"text": "red heart", "image": encoded(picture)}, huse.embed([path], ["red heart"])),
    ):
        found = client.post("/search", json={**by_json, "k": 4}).json()
        SearchAnswer.model_validate(found)
        wanted = [hit.as_dict() for hit in huse.search(v, 4)[0]]
        assert [hit["item_id"] for hit in found["hits"]] == [hit["item_id"] for hit in wanted]
        for hit, other in zip(found["hits"], wanted, strict=True):
            assert hit == {**other, "distance": pytest.approx(other["distance"], abs=1e-5)}
        assert found["near"] == huse.near(v)[0].near
    by_form = client.post("/search", data={"text": "red heart", "k": 4}, files={"image": picture})
    assert by_form.json() == found


def test_hits_can_be_narrowed(client, huse):
    node = huse.index.items["class_path"].iloc[0]
    asked = {"text": "heart", "within": node, "where": "text != 'x'", "mode": "dense"}
    hits = client.post("/search", json=asked).json()["hits"]
    assert {hit["class_path"] for hit in hits} == {node}
    assert {hit["words"] for hit in hits} == {None}
    refused = client.post("/search", json={"text": "heart", "within": "nowhere"})
    assert refused.status_code == 400
    assert "no item is of class 'nowhere'" in refused.json()["error"]["message"]


def test_attributes_come_with_the_hits(make_client, kept_project):
    data = kept_project.root / "data"
    stored = Stored(data / "model", data / "index")
    client = make_client(load=lambda: load_checked(stored, pytest.fail))
    asked = {"text": "heart", "where": "price < 20 and brand == 'Nike'", "k": 3}
    found = client.post("/search", json=asked).json()
    SearchAnswer.model_validate(found)
    for hit in found["hits"]:
        assert hit["attributes"]["brand"] == "Nike"
        assert hit["attributes"]["price"] < 20
        assert hit["attributes"]["first seen"].startswith("2024-01-")


def test_items_are_classified(client, huse, picture):
    items = [{"text": "red heart"}, {"image": encoded(picture)}]
    found = client.post("/classify", json={"items": items, "k": 2, "precision": 0.5}).json()
    ClassifyAnswer.model_validate(found)
    assert [len(one["top"]) for one in found["items"]] == [2, 2]
    (wanted,) = huse.classify(huse.embed(None, ["red heart"]), 2, precision=0.5)
    assert found["items"][0]["top"][0]["path"] == wanted.top[0].path
    assert found["items"][0]["attributes"] == {}, "none are predicted"
    assert found["can_file"] == huse.filing.can_file(0.5, 0.95)
    (one,) = client.post("/classify", files={"image": picture}, data={"k": "1"}).json()["items"]
    assert one["top"][0]["path"] == found["items"][1]["top"][0]["path"]


def test_items_are_embedded(client, loaded, picture):
    items = [{"text": "red heart", "image": encoded(picture)}, {"text": "blue heart"}]
    found = client.post("/embed", json={"items": items}).json()
    EmbedAnswer.model_validate(found)
    assert found["model"] == loaded.name
    first, second = found["items"]
    assert len(first["fused"]) == found["dimension"]
    assert np.linalg.norm(first["fused"]) == pytest.approx(1, abs=1e-5)
    assert second["image"] is None
    assert second["text"] == second["fused"]
    by_openai = client.post("/v1/embeddings", json={"input": ["blue heart"]}).json()
    assert by_openai["data"][0]["embedding"] == pytest.approx(second["text"], abs=1e-6)
    assert by_openai["model"] == loaded.name


def test_a_broken_picture_is_its_own_request_s_alone(client, picture):
    asked = [{"image": encoded(picture[:200])}, *[{"text": f"red {n}"} for n in range(7)]]
    with ThreadPoolExecutor(len(asked)) as pool:
        answers = list(pool.map(lambda one: client.post("/search", json=one), asked * 3))
    assert [answer.status_code for answer in answers] == ([400] + [200] * 7) * 3
    assert "broken picture" in answers[0].json()["error"]["message"]


def test_several_pictures_of_an_item_come_as_a_list_or_as_files(client, picture_folder):
    files = [path.read_bytes() for path in sorted(picture_folder.iterdir())[:2]]
    items = [{"image": [encoded(file) for file in files]}, {"image": encoded(files[0])}]
    both, first = client.post("/embed", json={"items": items}).json()["items"]
    (sent,) = client.post("/embed", files=[("image", file) for file in files]).json()["items"]
    assert sent["image"] == pytest.approx(both["image"], abs=1e-6)
    assert both["image"] != pytest.approx(first["image"], abs=1e-3)
    items[0]["image"].append(encoded(files[0][:200]))
    answer = client.post("/embed", json={"items": items})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("item 0: picture 2: broken picture")


def test_every_refusal_has_one_shape(client, picture, large_picture):
    answers = [
        client.post("/search", content=b"no"),
        client.post("/search", json={"image": encoded(large_picture)}),
        client.post("/search", files={"image": large_picture}),
        client.post("/search", files=[("image", picture), ("image", large_picture)]),
        client.post("/search", content=b"x", headers={"Content-Type": "multipart/form-data"}),
        client.post("/v1/embeddings", json={"input": [1]}),
        client.post("/v1/embeddings", json={"input": "a", "model": "huse-0"}),
        client.get("/nowhere"),
        client.get("/search"),
        client.get("/static-offline-docs/..%2f..%2f..%2fetc%2fpasswd"),
    ]
    assert [answer.status_code for answer in answers] == [400] * 6 + [404, 404, 405, 404]
    for answer in answers:
        ErrorAnswer.model_validate(answer.json())


def test_what_is_open_and_what_needs_the_token(make_client):
    client = make_client(token=TOKEN, host="0.0.0.0")
    for path in ("/healthz", "/docs", "/openapi.json", "/static-offline-docs/swagger-ui.css"):
        assert client.get(path).status_code == 200, path
    for path in ("/metrics", "/v1/models"):
        assert client.get(path).status_code == 401, path
        assert client.get(path, headers=WITH_TOKEN).status_code == 200, path
    for path in ("/search", "/classify", "/embed", "/v1/embeddings", "/admin/reload"):
        assert client.post(path, json={}).status_code == 401, path


def test_documentation_asks_nothing_of_other_servers(client):
    page = client.get("/docs").text
    assert "static-offline-docs/swagger-ui-bundle.js" in page
    assert "https://" not in page
    described = client.get("/openapi.json").json()
    assert set(described["paths"]) == {
        *("/search", "/classify", "/embed", "/v1/embeddings", "/v1/models", "/healthz"),
        *("/metrics", "/admin/reload"),
    }
    body = described["paths"]["/search"]["post"]["requestBody"]["content"]
    assert set(body) == {"application/json", "multipart/form-data"}


def test_health_and_figures(client, loaded):
    health = client.get("/healthz").json()
    assert ModelAnswer.model_validate(health).status == "ok"
    assert (health["digest"], health["items"]) == (loaded.digest, loaded.items)
    answer = client.post("/search", json={"text": "red"})
    assert answer.headers["x-model"] == loaded.name
    figures = client.get("/metrics").text
    assert 'huse_requests_total{route="/search",status="200"} 1.0' in figures
    assert f'huse_model_info{{digest="{loaded.digest}"}} 1.0' in figures
    assert "huse_batch_items_count 1.0" in figures


def test_only_requests_for_this_machine_are_answered(make_service):
    for host, token, name, status in (
        *(("127.0.0.1", None, "rebound.example", 400), ("127.0.0.1", None, "localhost:80", 200)),
        *(("127.0.0.1", TOKEN, "shop.example", 200), ("0.0.0.0", None, "shop.example", 200)),
    ):
        app = make_service(host=host, token=token).app
        with TestClient(app, base_url=f"http://{name}") as client:
            assert client.get("/healthz").status_code == status


def test_a_reload_is_for_who_may(make_client, loaded):
    client = make_client()
    done = client.post("/admin/reload")
    assert ReloadAnswer.model_validate(done.json()).before == loaded.name
    for header in ("Origin", "X-Forwarded-For", "Forwarded", "Via"):
        assert client.post("/admin/reload", headers={header: "http://a"}).status_code == 403
    assert make_client(host="0.0.0.0").post("/admin/reload").status_code == 403
    guarded = make_client(host="0.0.0.0", token=TOKEN)
    assert guarded.post("/admin/reload", headers=WITH_TOKEN).status_code == 200


def test_a_model_that_cannot_be_loaded_changes_nothing(make_client, loaded):
    models = iter([loaded, InputError("model.json: not found; train")])

    def load():
        model = next(models)
        if isinstance(model, Exception):
            raise model
        return model

    client = make_client(load=load)
    refused = client.post("/admin/reload")
    assert refused.status_code == 409
    assert refused.json()["error"]["message"] == (
        "the model is as before: model.json: not found; train"
    )
    assert client.post("/search", json={"text": "red"}).status_code == 200
    assert 'huse_reloads_total{outcome="failed"} 1.0' in client.get("/metrics").text


def test_one_model_is_read_at_a_time(make_client, loaded):
    began, may = threading.Event(), threading.Event()

    def load():
        began.set()
        assert may.wait(WAIT)
        return loaded

    may.set()
    client = make_client(load=load)
    may.clear()
    began.clear()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.post, "/admin/reload")
        assert began.wait(WAIT)
        busy = client.post("/admin/reload")
        assert (busy.status_code, busy.json()["error"]["code"]) == (409, "busy")
        assert client.post("/search", json={"text": "red"}).status_code == 200
        may.set()
        assert first.result(WAIT).status_code == 200


def test_no_request_is_lost_while_models_change_and_each_has_one_model(make_client, loaded):
    """A slow answer of the old model ends as the old one's after the new one has come."""
    began, may = threading.Event(), threading.Event()

    class Slow:
        def __getattr__(self, name):
            return getattr(loaded.huse, name)

        def read_features(self, images, texts, leave_out):
            began.set()
            assert may.wait(WAIT)
            return loaded.huse.read_features(images, texts, leave_out)

    models = iter([replace(loaded, huse=Slow(), digest="0" * 64), replace(loaded, digest="1" * 64)])
    client = make_client(load=lambda: next(models))
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(client.post, "/search", json={"text": "red"})
        assert began.wait(WAIT)
        old = [pool.submit(client.post, "/search", json={"text": f"red {n}"}) for n in range(4)]
        deadline = time.monotonic() + WAIT
        while "huse_queue_items 4.0" not in client.get("/metrics").text:
            assert time.monotonic() < deadline
        assert client.post("/admin/reload").json()["model"] == "huse-111111111111"
        new = [pool.submit(client.post, "/search", json={"text": f"red {n}"}) for n in range(4)]
        may.set()
        answers = [future.result(WAIT) for future in (first, *old, *new)]
    assert [answer.status_code for answer in answers] == [200] * 9
    named = [answer.headers["x-model"] for answer in answers]
    assert named == ["huse-000000000000"] * 5 + ["huse-111111111111"] * 4


def test_a_server_that_is_stuck_says_so(make_client, loaded):
    began, may = threading.Event(), threading.Event()

    class Stuck:
        def read_features(self, images, texts, leave_out):
            began.set()
            assert may.wait(WAIT)
            raise InputError("late")

    client = make_client(load=lambda: replace(loaded, huse=Stuck()), limits=Limits(timeout=0.1))
    late = client.post("/search", json={"text": "red"})
    assert late.status_code == 504
    assert began.wait(WAIT)
    deadline = time.monotonic() + WAIT
    while client.get("/healthz").status_code == 200:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert client.get("/healthz").json()["status"] == "stuck"
    may.set()
    while client.get("/healthz").status_code == 503:
        assert time.monotonic() < deadline


def test_what_fails_inside_is_told_without_what_was_asked(make_service, loaded):
    class Broken:
        def read_features(self, images, texts, leave_out):
            raise KeyError(texts)

    service = make_service(load=lambda: replace(loaded, huse=Broken()))
    with TestClient(
        service.app, base_url="http://127.0.0.1", raise_server_exceptions=False
    ) as client:
        answer = client.post("/search", json={"text": "private"})
    assert answer.status_code == 500
    ErrorAnswer.model_validate(answer.json())
    (line,) = service.warned
    assert answer.headers["x-request-id"] in line
    assert "KeyError" in line
    assert "private" not in line + json.dumps(answer.json())
