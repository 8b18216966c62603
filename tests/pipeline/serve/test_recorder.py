from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from huse import Huse
from pipeline.drift.batch_log import read_log
from pipeline.serve import recorder as module
from pipeline.serve.recorder import Recorder
from tests.pipeline.serve.conftest import encoded


def read(folder, huse):
    return list(read_log(folder, huse.description.digest))


def test_what_is_classified_and_embedded_is_recorded_and_no_search(
    make_service, loaded, picture, tmp_path
):
    service = make_service(log=tmp_path / "log")
    with TestClient(service.app, base_url="http://127.0.0.1") as client:
        client.post("/search", json={"text": "what somebody looks for"})
        client.post("/classify", json={"items": [{"text": "red heart"}, {"text": "dog"}]})
        client.post("/embed", json={"items": [{"image": encoded(picture)}]})
        client.post("/v1/embeddings", json={"input": ["a cat"]})
        client.post("/classify", json={"items": [{"text": ""}]})  # cannot be used
        assert not (tmp_path / "log").exists()
    (batch,) = read(tmp_path / "log", loaded.huse)
    assert len(batch.paths) == 4
    assert {one.text for one in batch.kept} == {"red heart", "dog", "", "a cat"}
    assert batch.moments["image"].count == 1
    v = loaded.huse.embed(texts=["dog"])
    assert loaded.huse.classify(v, 1)[0].top[0].path in batch.paths
    assert service.warned == []


def test_items_are_written_by_hundreds_by_time_and_by_model(
    loaded, finished_project, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "MOST_ITEMS", 3)
    huse = loaded.huse
    one = huse.read_features([None], ["dog"])[0]
    recorder = Recorder(tmp_path / "log", pytest.fail)
    for _ in range(2):
        recorder.add(huse, one)
    assert not (tmp_path / "log").exists()
    recorder.add(huse, one)
    assert [len(batch.paths) for batch in read(tmp_path / "log", huse)] == [3]
    recorder.add(huse, huse.read_features([None], ["a red cat"])[0])
    other = Huse.load(finished_project.root / "data" / "model")
    recorder.add(other, one)
    assert sorted(len(batch.paths) for batch in read(tmp_path / "log", huse)) == [1, 3]
    monkeypatch.setattr(module, "MOST_SECONDS", -1)
    recorder.add(other, huse.read_features([None], ["two hats"])[0])
    assert sorted(len(batch.paths) for batch in read(tmp_path / "log", huse)) == [1, 2, 3]
    recorder.flush()
    assert len(read(tmp_path / "log", huse)) == 3


def test_a_log_that_cannot_be_written_stops_nobody(loaded, tmp_path):
    (tmp_path / "log").write_text("a file")
    warned = []
    recorder = Recorder(tmp_path / "log", warned.append)
    recorder.add(loaded.huse, loaded.huse.read_features([None], ["dog"])[0])
    recorder.flush()
    assert len(warned) == 1
    assert warned[0].startswith("--log: 1 items are not recorded: ")
    unforeseen = Recorder(Path("/proc/nowhere/log"), warned.append)
    unforeseen.add(loaded.huse, loaded.huse.read_features([None], ["dog"])[0])
    unforeseen.flush()
    assert "nowhere" in warned.pop()
    recorder.flush()
    assert len(warned) == 1
