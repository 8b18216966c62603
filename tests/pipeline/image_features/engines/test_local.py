import hashlib
import json
import signal
import subprocess
import sys
import threading
from dataclasses import asdict, replace

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.core.location import address
from pipeline.core.vector_store import VectorStore
from pipeline.image_features.decoder import Decoder
from pipeline.image_features.engines.local import run_local
from pipeline.image_features.jobs import Job, WorkPlan
from pipeline.image_features.recipe import row_key

pytestmark = pytest.mark.slow


@pytest.fixture
def plan(small, pictures, tmp_path):
    folder, store = str(pictures.folder), str(tmp_path / "store")
    return WorkPlan(folder, small.recipe, str(small.onnx_file), store, "crop_flip", "cpu", None)


@pytest.fixture
def jobs(pictures):
    """140 pictures with two views each, one of which is broken."""
    names = pictures(140)
    (pictures.folder / names[70]).write_bytes(b"404")
    return [
        Job(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), [0, 1])
        for path in (pictures.folder / name for name in names)
    ]


def vectors(home, jobs, copies=None):
    store = VectorStore(home, copies=copies)
    keys = [
        row_key(bytes.fromhex(job.digest), view, "crop_flip") for job in jobs for view in (0, 1)
    ]
    found = store.find(set(keys))
    return len(found), store.read([found[key] for key in keys if key in found])


@pytest.mark.parametrize("runtime", ["onnxruntime", "torch"])
def test_threads_do_what_one_does(jobs, plan, tmp_path, runtime):
    plan = replace(plan, recipe=replace(plan.recipe, runtime=runtime))
    done: list[int] = []
    failures = run_local(jobs, plan, 2, done.append)
    assert failures == [(jobs[70].digest, "not a picture in a known format")]
    assert sum(done) == 280
    count, by_two = vectors(tmp_path / "store", jobs)
    assert count == 278
    for path in (tmp_path / "store").iterdir():
        path.unlink()
    assert run_local(jobs, plan, 1, done.append) == failures
    assert np.array_equal(vectors(tmp_path / "store", jobs)[1], by_two)


def test_threads_share_one_network(jobs, plan, monkeypatch):
    from pipeline.image_features.runtimes.onnxruntime import OnnxRunner

    made, threads = [], set()
    begin, submit = OnnxRunner.__init__, OnnxRunner.submit
    both = threading.Barrier(2, timeout=60)

    def count(runner, *args):
        made.append(runner)
        begin(runner, *args)

    def note(runner, pixels_BSS3):
        if threading.get_ident() not in threads:
            # Until the other one is here as well.
            threads.add(threading.get_ident())
            both.wait()
        return submit(runner, pixels_BSS3)

    monkeypatch.setattr(OnnxRunner, "__init__", count)
    monkeypatch.setattr(OnnxRunner, "submit", note)
    run_local(jobs, plan, 2, lambda done: None)
    assert len(made) == 1
    assert len(threads) == 2


def test_an_error_stops_the_other_threads(jobs, plan, monkeypatch):
    decode = Decoder.decode
    tried = []

    def fail(decoder, job):
        tried.append(job)
        if job == jobs[0]:
            raise InputError("the bucket does not answer")
        return decode(decoder, job)

    monkeypatch.setattr(Decoder, "decode", fail)
    with pytest.raises(InputError, match="the bucket does not answer"):
        run_local(jobs, plan, 2, lambda done: None)
    assert len(tried) < 70


ALONE = """
import json, signal, sys, time
# A shell has its background processes ignore it, and they theirs.
signal.signal(signal.SIGINT, signal.default_int_handler)
from pipeline.image_features.decoder import Decoder
from pipeline.image_features.engines.local import run_local
from pipeline.image_features.recipe import Recipe
from pipeline.image_features.jobs import Job, WorkPlan

def say(done):
    print(done, flush=True)
    time.sleep(60)

jobs, recipe, plan = json.load(sys.stdin)
plan = WorkPlan(**plan | {"recipe": Recipe.from_metadata(recipe)})
run_local([Job(*job) for job in jobs], plan, 2, say)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_what_was_done_before_an_end_is_kept(jobs, plan, how, tmp_path):
    command = [sys.executable, "-c", ALONE]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    sent = (jobs, plan.recipe.metadata(), asdict(replace(plan, recipe=None)))
    running.stdin.write(json.dumps(sent).encode())
    running.stdin.close()
    done = int(running.stdout.readline())
    running.send_signal(how)
    running.wait(timeout=50)  # its own sleep would be longer
    assert vectors(tmp_path / "store", jobs)[0] >= done > 0


def test_a_store_that_cannot_be_written_to_is_one_line(jobs, plan, tmp_path):
    (tmp_path / "store").write_text("a file where a folder is needed")
    for workers in (1, 2):
        with pytest.raises(InputError, match=r"store/\w+\.arrow: cannot be written"):
            run_local(jobs, plan, workers, lambda done: None)


def test_torch_computes_on_one_thread_and_gets_its_threads_back(jobs, plan, tmp_path):
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    seen = []

    def note(done):
        seen.append(torch.get_num_threads())

    run_local(jobs[:3], replace(plan, recipe=replace(plan.recipe, runtime="torch")), 2, note)
    assert seen == [1]
    assert torch.get_num_threads() == 2
    torch.set_num_threads(threads)
    assert vectors(tmp_path / "store", jobs[:3])[0] == 6


def test_threads_read_and_write_another_filesystem(jobs, plan, pictures, bucket, tmp_path):
    jobs = jobs[30:90]
    for job in jobs:
        path = pictures.folder / job.image
        (bucket / "pictures" / job.image).write_bytes(path.read_bytes())
    failures = run_local(jobs, plan, 1, lambda done: None)
    jobs[3] = jobs[3]._replace(image="gone.png")
    plan = replace(plan, images=address(bucket / "pictures"), store=address(bucket / "vectors"))
    by_two = run_local(jobs, plan, 2, lambda done: None)
    assert sorted(by_two) == sorted([*failures, (jobs[3].digest, "file not found")])
    del jobs[3]
    count, vector_NI = vectors(bucket / "vectors", jobs, tmp_path / "copies")
    assert count == 116
    assert np.array_equal(vector_NI, vectors(tmp_path / "store", jobs)[1])
    silent = replace(plan, images="s3://a?endpoint_override=127.0.0.1:1&scheme=http")
    with pytest.raises(InputError, match=r"^catalog\.images: s3://a/0-\d+\.png cannot be read \("):
        run_local(jobs, silent, 2, lambda done: None)
