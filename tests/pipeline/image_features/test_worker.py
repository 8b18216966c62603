import hashlib

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.core.vector_store import VectorStore
from pipeline.image_features.recipe import row_key
from pipeline.image_features.worker import Job, Worker, WorkPlan, job_chunks


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


@pytest.mark.parametrize(("count", "workers"), [(0, 2), (1, 1), (100, 2), (1000, 2), (20_000, 3)])
def test_chunks_are_whole_batches_and_hold_every_job_once(count, workers):
    jobs = [Job(f"{number}.png", "", [0]) for number in range(count)]
    chunks = job_chunks(jobs, workers)
    assert [job for chunk in chunks for job in chunk] == jobs
    assert all(len(chunk) % 8 == 0 for chunk in chunks[:-1])
    # However the processes race, the last one is alone for a tenth of its work at most.
    if count >= 1000:
        assert max(map(len, chunks)) <= count / workers / 10


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


def test_threads_that_decode_ahead_change_nothing(worker, jobs, pictures, tmp_path):
    (pictures.folder / "text").write_text("404")
    digest = hashlib.sha256(b"404").hexdigest()
    jobs.insert(3, Job("text", digest, [0]))
    keys = [bytes.fromhex(job.digest) for job in jobs if job.digest != digest]
    results = []
    for threads in (0, 3):
        worker._encoder.runner.decoders = threads
        store = VectorStore(tmp_path / "store")
        assert worker.run(jobs, lambda done: None) == [(digest, "not a picture in a known format")]
        found = store.find(set(keys))
        results.append(store.read([found[key] for key in keys]))
        for path in store.folder.iterdir():
            path.unlink()
    assert np.array_equal(*results)


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
