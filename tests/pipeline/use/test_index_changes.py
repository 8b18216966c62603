import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import InputError
from pipeline.index.changes import BASE, MOST_ENTRIES, changing, read_changes
from pipeline.index.stored_index import load_index
from pipeline.use.index_changes import put_items, read_state, remove_items
from pipeline.use.index_items import IndexItems


def made(ids, dimension, **values):
    """Items that point along the axes."""
    items = [
        {"item_id": one, "image": "", "text": one, "class_path": "own", "split": "added", BASE: "b"}
        for one in ids
    ]
    vectors = [np.eye(dimension, dtype=np.float32)[n % dimension] for n in range(len(ids))]
    features = {"text": [(one, np.ones((1, 3), np.float32)) for one in ids]}
    return IndexItems(list(range(1, len(ids) + 1)), items, vectors, features)


@pytest.fixture
def state_of(project):
    def read():
        return read_state(project.root / "data/index", project.root / "data/model", None)

    return read


def put(state, items, replace=False):
    rejected = []
    with changing(state.folder):
        return *put_items(state, items, replacing=replace, reject=rejected.extend)[:2], rejected


def test_an_item_that_is_there_is_replaced_or_refused(state_of):
    dimension = state_of().kind.dimension
    assert put(state_of(), made(["n1", "n2", "n1"], dimension))[:2] == (2, 0)
    added, replaced, rejected = put(state_of(), made(["n2", "n3"], dimension))
    assert (added, replaced) == (1, 0)
    assert [row.reason for row in rejected] == [
        "already in the index as n2; huse index update replaces it"
    ]
    assert put(state_of(), made(["n2", "n4"], dimension), replace=True)[:2] == (2, 1)
    assert state_of().standing.items["item_id"].to_pylist() == ["n1", "n3", "n2", "n4"]


def test_many_changes_are_put_together(state_of, project):
    dimension = state_of().kind.dimension
    names = [f"n{n}" for n in range(MOST_ENTRIES + 2)]
    for name in names:
        put(state_of(), made([name], dimension))
    changes = read_changes(project.root / "data/index")
    assert len(changes.names) <= MOST_ENTRIES
    index = load_index(project.root / "data/index", model=project.root / "data/model")
    assert index.items["item_id"].tolist()[-len(names) :] == names
    assert sum(len(ids) for ids, _ in changes.features("text")) == len(names)


def test_what_was_added_can_be_removed_and_added_again(state_of):
    dimension = state_of().kind.dimension
    put(state_of(), made(["n1", "n2"], dimension))
    with changing(state_of().folder):
        assert remove_items(state_of(), ["n2", "n2", "x"]) == (1, ["x"])
    assert state_of().standing.items["item_id"].to_pylist() == ["n1"]
    assert put(state_of(), made(["n2"], dimension))[:2] == (1, 0)


def test_of_an_index_of_another_model_nothing_is_read(project, tmp_path):
    other = tmp_path / "model"
    other.mkdir()
    described = (project.root / "data/model/model.json").read_text(encoding="utf-8")
    (other / "model.json").write_text(
        described.replace('weights_digest": "', 'weights_digest": "0')
    )
    with pytest.raises(InputError, match="made by another model"):
        read_state(project.root / "data/index", other, None)
    assert pq.read_metadata(project.root / "data/index/items.parquet").num_rows > 0
