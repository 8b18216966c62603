import hashlib
import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.core.location import address
from pipeline.core.vector_store import VectorStore
from pipeline.image_features.engines.local import run_local
from pipeline.image_features.engines.ray import _Actor, _share_onnx_file, run_ray
from pipeline.image_features.jobs import Job, WorkPlan

ray = pytest.importorskip("ray", reason="needs the extra `ray`")


@pytest.fixture
def jobs(pictures):
    paths = [pictures.folder / name for name in pictures(300)]
    paths[7].write_bytes(b"404")
    return [Job(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), [0]) for path in paths]


def plan_for(small, images, store):
    onnx_file = str(small.onnx_file)
    return WorkPlan(str(images), small.recipe, onnx_file, str(store), "crop_flip", "cpu", None)


def vectors(home, jobs, copies=None):
    store = VectorStore(home, copies=copies)
    keys = [bytes.fromhex(job.digest) for job in jobs]
    found = store.find(set(keys))
    return len(found), store.read([found[key] for key in keys if key in found])


def test_a_node_without_the_weights_answers_with_one_line(small, tmp_path):
    plan = plan_for(small, tmp_path, tmp_path / "store")
    recipe = replace(plan.recipe, runtime="torch", backbone="packaged/gone")
    plan = replace(plan, recipe=recipe)
    row = _Actor(plan)({"jobs": json.dumps([Job("x.png", "00", [0])])})
    assert "packaged/gone" in row["error"]
    assert "\n" not in row["error"]


def test_a_node_without_the_graph_takes_it_from_the_store(small, pictures, jobs, bucket, tmp_path):
    plan = plan_for(small, pictures.folder, address(bucket))
    _share_onnx_file(plan)
    elsewhere = replace(plan, onnx_file=str(tmp_path / "gone.onnx"))
    row = _Actor(elsewhere)({"jobs": json.dumps(jobs[:4])})
    assert row == {"views": 4, "failures": "[]", "error": ""}
    assert vectors(bucket, jobs[:4], tmp_path / "copies")[0] == 4
    alone = replace(elsewhere, store=str(tmp_path / "store"))
    row = _Actor(alone)({"jobs": json.dumps(jobs[:4])})
    assert "gone.onnx is not on this machine; set machine.vector_store" in row["error"]


@pytest.fixture
def cluster(s3, monkeypatch):
    """Two nodes on this machine, the second of which may be killed."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    second = cluster.add_node(num_cpus=1)
    root = str(Path(__file__).parents[4])
    ray.init(
        address=cluster.address,
        runtime_env={"env_vars": {"PYTHONPATH": root, "OMP_NUM_THREADS": "1"}},
        log_to_driver=False,
    )
    yield cluster, second
    ray.shutdown()
    cluster.shutdown()


def test_a_node_dies_and_nothing_is_lost(bucket, cluster, small, pictures, jobs, tmp_path):
    nodes, second = cluster
    store = tmp_path / "store"

    def kill_in_the_middle():
        while len(list(store.glob("*.arrow"))) < 2:
            time.sleep(0.02)
        nodes.remove_node(second, allow_graceful=False)

    killer = threading.Thread(target=kill_in_the_middle)
    killer.start()
    done: list[int] = []
    failures = run_ray(jobs, plan_for(small, pictures.folder, store), None, done.append)
    killer.join()
    # Ray takes a moment to notice.
    deadline = time.monotonic() + 60
    while sum(node["Alive"] for node in ray.nodes()) > 1 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert failures == [(jobs[7].digest, "not a picture in a known format")]
    assert sum(done) == 300
    assert len([node for node in ray.nodes() if node["Alive"]]) == 1
    count, by_ray = vectors(store, jobs)
    assert count == 299
    local = tmp_path / "local"
    by_one = run_local(jobs, plan_for(small, pictures.folder, local), 1, lambda done: None)
    assert by_one == failures
    expected = vectors(local, jobs)[1]
    assert np.array_equal(by_ray, expected)
    # The same by way of a filesystem that nodes need not mount.
    for job in jobs[:30]:
        (bucket / job.image).write_bytes((pictures.folder / job.image).read_bytes())
    plan = plan_for(small, address(bucket), address(bucket / "vectors"))
    assert run_ray(jobs[:30], plan, None, lambda done: None) == failures
    count, by_ray = vectors(bucket / "vectors", jobs[:30], tmp_path / "copies")
    assert count == 29
    assert np.array_equal(by_ray, expected[:29])
    # What stops an actor is the user's one line.
    (tmp_path / "file").write_text("a file where a folder is needed")
    with pytest.raises(InputError, match="cannot be written"):
        run_ray(jobs[:5], plan_for(small, pictures.folder, tmp_path / "file"), None, done.append)
