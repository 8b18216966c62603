import hashlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from multiprocessing.context import SpawnProcess
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.core.location import address
from pipeline.core.vector_store import VectorStore
from pipeline.image_features.engines.local import run_local
from pipeline.image_features.recipe import row_key
from pipeline.image_features.worker import Job, WorkPlan

pytestmark = pytest.mark.slow


@pytest.fixture
def plan(small, pictures, tmp_path):
    folder, store = str(pictures.folder), str(tmp_path / "store")
    return WorkPlan(folder, small.recipe, str(small.onnx_file), store, "crop_flip", "cpu", None)


@pytest.fixture
def jobs(pictures):
    """140 pictures with two views each, one of which is broken: work for two processes."""
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


def test_processes_do_what_one_does(jobs, plan, tmp_path):
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


def test_a_killed_process_is_one_line_and_its_work_is_kept(jobs, plan, tmp_path):
    # Other tests of this session may have processes of their own.
    others = set(multiprocessing.active_children())
    started = []

    def kill_first(done):
        started[:] = started or set(multiprocessing.active_children()) - others
        os.kill(started[0].pid, signal.SIGKILL)

    with pytest.raises(
        InputError, match=r"worker process ended with status -9 \(-9: .*finished work"
    ):
        run_local(jobs, plan, 2, kill_first)
    assert vectors(tmp_path / "store", jobs)[0] > 0
    assert len(started) == 2
    assert set(multiprocessing.active_children()) <= others


ALONE = """
import json, sys, time
from pipeline.image_features.engines.local import run_local
from pipeline.image_features.recipe import Recipe
from pipeline.image_features.worker import Job, WorkPlan

def say(done):
    import multiprocessing
    print(*(process.pid for process in multiprocessing.active_children()), flush=True)
    time.sleep(60)

jobs, recipe, plan = json.load(sys.stdin)
plan = WorkPlan(**plan | {"recipe": Recipe.from_metadata(recipe)})
run_local([Job(*job) for job in jobs], plan, 2, say)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_its_parent(jobs, plan, how):
    command = [sys.executable, "-c", ALONE]
    parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    sent = (jobs, plan.recipe.metadata(), asdict(replace(plan, recipe=None)))
    parent.stdin.write(json.dumps(sent).encode())
    parent.stdin.close()
    pids = list(map(int, parent.stdout.readline().split()))
    assert len(pids) == 2
    parent.send_signal(how)
    parent.wait(timeout=60)
    deadline = time.monotonic() + 60
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in pids)


def alive(pid):
    """A process whose parent is gone may stay as a zombie."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]
    except OSError:
        return False


def test_a_process_that_ends_by_itself_is_not_said_to_lack_memory(jobs, plan, monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    with pytest.raises(InputError, match="worker process ended with status 1; run again"):
        run_local(jobs, plan, 2, lambda done: None)


def test_a_process_that_ends_while_the_next_one_starts_is_told_likewise(jobs, plan, monkeypatch):
    start = SpawnProcess.start
    first: list[SpawnProcess] = []

    def start_after_the_first_has_ended(process):
        if first:
            first[0].join()
            # What the pool's own thread has done by then, if it was quicker.
            raise OSError("handle is closed")
        first.append(process)
        start(process)

    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setattr(SpawnProcess, "start", start_after_the_first_has_ended)
    with pytest.raises(InputError, match="worker process ended with status 1; run again"):
        run_local(jobs, plan, 2, lambda done: None)


def test_an_error_of_a_process_is_the_users_one_line(jobs, plan, tmp_path):
    (tmp_path / "store").write_text("a file where a folder is needed")
    for workers in (1, 2):
        with pytest.raises(InputError, match=r"store/\w+\.arrow: cannot be written"):
            run_local(jobs, plan, workers, lambda done: None)


def test_runtime_torch_runs_on_one_thread_and_gives_the_threads_back(jobs, plan, tmp_path):
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    run_local(
        jobs[:3], replace(plan, recipe=replace(plan.recipe, runtime="torch")), 1, lambda n: None
    )
    assert torch.get_num_threads() == 2
    torch.set_num_threads(threads)
    assert vectors(tmp_path / "store", jobs[:3])[0] == 6


def test_processes_read_and_write_another_filesystem(jobs, plan, pictures, bucket, tmp_path):
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
