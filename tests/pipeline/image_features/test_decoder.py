import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace

import numpy as np
import psutil
import pytest
from PIL import Image

from pipeline.core.errors import InputError
from pipeline.core.vector_store import VectorStore
from pipeline.image_features import decoder as module
from pipeline.image_features.decoder import Decoder, decode_here, decode_in_processes
from pipeline.image_features.engines import local
from pipeline.image_features.jobs import Job, WorkPlan
from pipeline.image_features.recipe import row_key


@pytest.fixture
def plan(small, pictures, tmp_path):
    folder, store = str(pictures.folder), str(tmp_path / "store")
    return WorkPlan(folder, small.recipe, str(small.onnx_file), store, "crop_flip", "cpu", 4)


@pytest.fixture
def jobs(pictures):
    """40 pictures with two views each, one of which is broken."""
    names = pictures(40)
    (pictures.folder / names[7]).write_bytes(b"404")
    paths = [pictures.folder / name for name in names]
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    return [Job(path.name, digest, [0, 1]) for path, digest in zip(paths, digests, strict=True)]


def same(found, expected):
    for (job, views), (other, expected_views) in zip(found, expected, strict=True):
        assert job == other
        if isinstance(views, str):
            assert views == expected_views
        else:
            assert views[0] == expected_views[0]
            assert np.array_equal(views[1], expected_views[1])


def test_whoever_decodes_views_and_their_order_are_the_same(plan, jobs):
    decoder = Decoder(plan)
    alone = list(decoder(jobs, 4))
    assert alone[7] == (jobs[7], "not a picture in a known format")
    with decode_here(decoder, "cuda") as by_threads:
        assert by_threads is not decoder
        same(by_threads(iter(jobs), 4), alone)
    with decode_in_processes(plan, 2) as by_processes:
        same(by_processes(iter(jobs), 4), alone)


def test_beside_a_network_on_the_cpu_nobody_decodes_ahead(plan):
    decoder = Decoder(plan)
    with decode_here(decoder, "cpu") as decode:
        assert decode is decoder


def test_no_more_is_decoded_ahead_than_there_is_room_for(plan, jobs, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 2)
    monkeypatch.setattr(module, "THREADS", 2)
    taken = []
    with decode_here(Decoder(plan), "cuda") as decode:
        results = decode((taken.append(job) or job for job in jobs), 4)
        next(results)
        # Two chunks per thread, a batch, and the chunk that is given out.
        assert len(taken) == 2 * (2 * 2 + 4 // 2 + 1)


def test_a_gpu_s_vectors_do_not_depend_on_who_decodes(plan, jobs, tmp_path, monkeypatch):
    """The engine's two ways, here with a network on the CPU."""
    keys = [
        row_key(bytes.fromhex(job.digest), view, "crop_flip")
        for job in jobs
        for view in (0, 1)
        if job is not jobs[7]
    ]
    stored = []
    for name, processes_from in (("threads", 1000), ("processes", 1)):
        monkeypatch.setattr(local, "PROCESSES_FROM", processes_from)
        done: list[int] = []
        there = replace(plan, store=str(tmp_path / name))
        failures = local._feed_gpu(jobs, there, 2, done.append)
        assert failures == [(jobs[7].digest, "not a picture in a known format")]
        assert sum(done) == len(keys)
        store = VectorStore(tmp_path / name)
        found = store.find(set(keys))
        stored.append(store.read([found[key] for key in keys]))
    assert np.array_equal(*stored)


def test_a_killed_process_is_one_line(plan, jobs):
    def decode_and_be_killed():
        with decode_in_processes(plan, 1) as decode:
            os.kill(decode._executor.submit(os.getpid).result(), signal.SIGKILL)
            list(decode(jobs, 4))

    with pytest.raises(InputError, match=r"that decodes pictures was killed.*machine\.workers"):
        decode_and_be_killed()


ALONE = """
import json, os, sys, time
from pipeline.image_features.decoder import decode_in_processes
from pipeline.image_features.jobs import WorkPlan
from pipeline.image_features.recipe import Recipe

recipe, plan = json.load(sys.stdin)
plan = WorkPlan(**plan | {"recipe": Recipe.from_metadata(recipe)})
with decode_in_processes(plan, 1) as decode:
    print(decode._executor.submit(os.getpid).result(), flush=True)
    time.sleep(60)
"""


def test_processes_end_with_the_one_that_started_them(plan):
    parent = subprocess.Popen(
        [sys.executable, "-c", ALONE], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    sent = (plan.recipe.metadata(), asdict(replace(plan, recipe=None)))
    parent.stdin.write(json.dumps(sent).encode())
    parent.stdin.close()
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    ended, _ = psutil.wait_procs([child], timeout=30)
    assert ended == [child]


def test_after_an_error_what_was_handed_out_is_left_undone(plan, jobs, monkeypatch):
    tried = []

    def fail(decoder, job):
        tried.append(job)
        time.sleep(0.02)
        raise InputError("the bucket does not answer")

    monkeypatch.setattr(Decoder, "decode", fail)
    monkeypatch.setattr(module, "CHUNK", 1)
    monkeypatch.setattr(module, "THREADS", 2)
    with (
        pytest.raises(InputError, match="does not answer"),
        decode_here(Decoder(plan), "cuda") as decode,
    ):
        list(decode(jobs, 32))
    assert len(tried) < 10


def test_a_picture_that_changed_meanwhile_is_a_reason(plan, jobs):
    assert "changed since" in Decoder(plan).decode(jobs[0]._replace(digest="00" * 32))


def test_the_size_that_is_told_is_that_of_the_file(plan, tmp_path):
    path = tmp_path / "x.jpg"
    Image.new("RGB", (640, 480), "red").save(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    for jpeg in ("exact", "scaled"):
        recipe = replace(plan.recipe, jpeg=jpeg)
        decoder = Decoder(replace(plan, images=str(tmp_path), recipe=recipe))
        pixels, squares = decoder.decode(Job("x.jpg", digest, [0]))
        assert pixels == 640 * 480
        assert squares[0].shape == (64, 64, 3)
