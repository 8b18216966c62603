import hashlib

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.core.vector_store import VectorStore
from pipeline.image_features.jobs import Job, WorkPlan
from pipeline.image_features.recipe import row_key
from pipeline.image_features.worker import Worker


@pytest.fixture
def worker(small, pictures, tmp_path):
    folder, store = str(pictures.folder), str(tmp_path / "store")
    onnx_file = str(small.onnx_file)
    return Worker(WorkPlan(folder, small.recipe, onnx_file, store, "crop_flip", "cpu", 4))


@pytest.fixture
def jobs(pictures):
    paths = [pictures.folder / name for name in pictures(7)]
    return [Job(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), [0]) for path in paths]


def test_what_is_reported_as_done_is_on_disk(worker, jobs, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.image_features.worker.FLUSH_SECONDS", 0.0)
    keys = {bytes.fromhex(job.digest) for job in jobs}
    seen = []

    def progress(done):
        seen.append((done, len(VectorStore(tmp_path / "store").find(keys))))

    assert worker.run(jobs, progress) == []
    assert seen == [(4, 4), (3, 7)]


def test_only_the_views_asked_for_are_made(worker, jobs, tmp_path):
    worker.run([jobs[0]._replace(views=[2, 3])], lambda done: None)
    digest = bytes.fromhex(jobs[0].digest)
    keys = [row_key(digest, view, "crop_flip") for view in range(4)]
    assert set(VectorStore(tmp_path / "store").find(set(keys))) == set(keys[2:])


def test_a_picture_that_changed_meanwhile_is_a_reason(worker, jobs):
    changed = jobs[0]._replace(digest="00" * 32)
    assert worker.run([changed, jobs[1]], lambda done: None) == [
        ("00" * 32, "changed since stage catalog read it; run stage catalog again")
    ]


def test_a_vector_that_is_not_finite_is_not_stored(worker, jobs, tmp_path, monkeypatch):
    """As half precision overflows on one picture."""
    submit = worker._encoder.runner.submit
    calls = []

    def overflow(pixels_BSS3):
        vector_BI = submit(pixels_BSS3)()
        calls.append(0)
        if len(calls) == 1:
            vector_BI[2, 5] = np.inf
        return lambda: vector_BI

    monkeypatch.setattr(worker._encoder.runner, "submit", overflow)
    done = []
    assert worker.run(jobs, done.append) == [(jobs[2].digest, "the network's output is not finite")]
    keys = {bytes.fromhex(job.digest) for job in jobs}
    assert set(VectorStore(tmp_path / "store").find(keys)) == keys - {bytes.fromhex(jobs[2].digest)}
    assert sum(done) == 6


def test_want_of_memory_stops_and_condemns_no_picture(worker, jobs, monkeypatch):
    def load(image):
        raise MemoryError

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    with pytest.raises(InputError, match=rf"{jobs[0].image}: out of memory; that is this machine"):
        worker.run(jobs, lambda done: None)
