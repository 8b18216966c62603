import hashlib
import json
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.image.engines.local import run_local
from pipeline.image.engines.ray import _Extractor, run_ray
from pipeline.image.store import VectorStore
from pipeline.image.work import Job, WorkPlan

ray = pytest.importorskip("ray", reason="needs the extra `ray`")


@pytest.fixture
def jobs(pictures):
    paths = [pictures.folder / name for name in pictures(300)]
    paths[7].write_bytes(b"404")
    return [Job(str(path), hashlib.sha256(path.read_bytes()).hexdigest(), [0]) for path in paths]


def plan_for(small, folder):
    recipe, graph = small.recipe.metadata(), str(small.graph)
    return WorkPlan(recipe, graph, str(folder), "crop_flip", "cpu", None)


def vectors(folder, jobs):
    store = VectorStore(folder, 512)
    keys = [bytes.fromhex(job.digest) for job in jobs]
    found = store.find(set(keys))
    return len(found), store.read([found[key] for key in keys if key in found])


def test_a_node_without_the_weights_answers_with_one_line(small, tmp_path):
    plan = plan_for(small, tmp_path / "store")
    weights = {"runtime": "torch", "backbone": "packaged/gone"}
    plan = replace(plan, recipe=plan.recipe | weights)
    row = _Extractor(asdict(plan))({"jobs": json.dumps([Job("x.png", "00", [0])])})
    assert "packaged/gone" in row["error"]
    assert "\n" not in row["error"]


@pytest.fixture
def cluster(monkeypatch):
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
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield cluster, second
    ray.shutdown()
    cluster.shutdown()


def test_a_node_dies_and_nothing_is_lost(cluster, small, jobs, tmp_path):
    nodes, second = cluster
    store = tmp_path / "store"

    def kill_in_the_middle():
        while len(list(store.glob("*.arrow"))) < 2:
            time.sleep(0.02)
        nodes.remove_node(second, allow_graceful=False)

    killer = threading.Thread(target=kill_in_the_middle)
    killer.start()
    done: list[int] = []
    failures = run_ray(jobs, plan_for(small, store), None, done.append)
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
    assert run_local(jobs, plan_for(small, tmp_path / "local"), 1, lambda done: None) == failures
    assert np.array_equal(by_ray, vectors(tmp_path / "local", jobs)[1])
    # What stops an actor is the user's one line.
    (tmp_path / "file").write_text("a file where a folder is needed")
    with pytest.raises(InputError, match="cannot be written"):
        run_ray(jobs[:5], plan_for(small, tmp_path / "file"), None, done.append)
