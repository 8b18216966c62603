import json

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.features.graph_file import SemanticGraph, read_graph, write_graph

GRAPH = SemanticGraph(
    ["Chloé<bags", "hats"],
    np.array([[0.0, 0.25], [0.25, 0.0]], dtype=np.float32),
    np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], dtype=np.float32),
)


@pytest.fixture
def folder(tmp_path):
    write_graph(tmp_path / "graph", GRAPH, {"encoder": "glove"})
    return tmp_path / "graph"


def test_a_graph_comes_back_bit_for_bit(folder):
    names, adjacency_KK, class_embedding_KE = read_graph(folder)
    assert names == GRAPH.names
    assert np.array_equal(adjacency_KK, GRAPH.adjacency_KK)
    assert np.array_equal(class_embedding_KE, GRAPH.class_embedding_KE)
    notes = json.loads((folder / "classes.json").read_text(encoding="utf-8"))
    assert notes == {"classes": ["Chloé<bags", "hats"], "encoder": "glove"}


def test_the_same_graph_gives_the_same_bytes(folder, tmp_path):
    write_graph(tmp_path / "again", GRAPH, {"encoder": "glove"})
    for path in folder.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", ["adjacency.npy", "class_embeddings.npy", "classes.json"])
def test_a_missing_or_damaged_file_is_named(folder, name):
    whole = (folder / name).read_bytes()
    for content in (b"", whole[:-3], b"no array", b"{}"):
        (folder / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            read_graph(folder)
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"{name}: not found"):
        read_graph(folder)


def test_pickles_are_never_opened(folder):
    np.save(folder / "adjacency.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"adjacency\.npy: not a readable array"):
        read_graph(folder)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("adjacency.npy", np.zeros((3, 3))),
        ("adjacency.npy", np.zeros((2, 3))),
        ("class_embeddings.npy", np.zeros((3, 3))),
        ("class_embeddings.npy", np.float32(1)),
    ],
)
def test_files_that_do_not_belong_together_are_refused(folder, name, array):
    np.save(folder / name, array)
    with pytest.raises(InputError, match="2 class names but other sizes of arrays"):
        read_graph(folder)
