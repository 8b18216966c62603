import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.encoders.encoder import find_encoder
from pipeline.text_features import make_block as module
from pipeline.text_features.engines.ray import encode_by_ray
from tests.shipped import shipped

ray = pytest.importorskip("ray", reason="needs the extra `ray`")

pytestmark = pytest.mark.slow


class Places:
    """Of every text its length, and a number of the node that encoded it."""

    device = "cpu"

    def __init__(self, seconds):
        self.seconds = seconds

    def maker(self):
        return partial(Places, self.seconds)

    def encode(self, texts):
        time.sleep(self.seconds)
        # Exact as a float32.
        node = int(ray.get_runtime_context().get_node_id()[:5], 16)
        return np.array([[len(text), node] for text in texts], dtype=np.float32)


class Lacking:
    device = "cpu"

    def maker(self):
        return Lacking

    def encode(self, texts):
        raise InputError("text model a: not on this node")


@pytest.fixture(scope="module")
def cluster():
    """Two nodes on this machine, the second of which may be killed."""
    from ray.cluster_utils import Cluster

    patch = pytest.MonkeyPatch()
    patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    second = cluster.add_node(num_cpus=1)
    root = str(Path(__file__).parents[4])
    ray.init(
        address=cluster.address,
        runtime_env={"env_vars": {"PYTHONPATH": root}},
        log_to_driver=False,
    )
    # Nodes do not find a test's module.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield cluster, second
    ray.shutdown()
    cluster.shutdown()
    patch.undo()


@pytest.mark.parametrize("name", ["transformer", "sentence"])
def test_all_nodes_together_make_the_bytes_of_one_machine(cluster, tmp_path, monkeypatch, name):
    monkeypatch.setattr(module, "CHUNK", 16)
    texts = [f"{'warm ' * (n % 7)}coat {n} of wool" for n in range(70)] + ["", "coat 0 of wool"]
    ids = [str(n) for n in range(len(texts))]
    settings = getattr(shipped("text"), name).model_copy(update={"device": "cpu"})
    encoder, files = find_encoder(name).fit(texts, texts, settings, tmp_path), []
    for engine in ("local", "ray"):
        path = tmp_path / engine / "block"
        cache = tmp_path / engine / "cache"
        summary = module.make_block(path, name, encoder, ids, texts, {}, cache, engine)
        assert (summary.texts, summary.reused) == (72, 0)
        files.append(path.read_bytes())
    assert files[0] == files[1]


def test_chunks_come_in_order_from_all_nodes_and_a_node_may_die(cluster):
    nodes, second = cluster
    chunks = [["a" * length] * 2 for length in range(1, 61)]
    blocks, found = encode_by_ray(Places(0.2), chunks), []
    # Its first task starts a process, which takes a node longer than the other one's next task.
    while len({block[0, 1] for block in found}) < 2:
        found.append(next(blocks))
    nodes.remove_node(second, allow_graceful=False)
    vector_ME = np.concatenate([*found, *blocks])
    assert vector_ME[:, 0].tolist() == [length for length in range(1, 61) for _ in range(2)]


def test_a_node_that_cannot_encode_answers_with_one_line(cluster):
    with pytest.raises(InputError, match=r"^text model a: not on this node$"):
        list(encode_by_ray(Lacking(), [["a"], ["b"]]))
