import random
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pytest
from filelock import FileLock
from scipy.sparse import csr_matrix

from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json, write_json
from pipeline.core.vectors import vector_array
from pipeline.index import changes as stored
from pipeline.index.changes import (
    BASE,
    Entry,
    MadeFor,
    changes_folder,
    changing,
    read_changes,
    read_steadily,
    replace_entries,
    write_entry,
)
from pipeline.index.standing import stand

ITEM_IDS = pa.chunked_array([["a", "b", "c"]])
ATTRIBUTES = pa.table({"item_id": ["a", "b", "c"], "sku": [1, 2, 3], "price": [1.0, None, 3.0]})


def rows(ids, base="one", **attributes):
    number = len(ids)
    empty = pa.nulls(number, pa.float32())
    columns = {
        "item_id": pa.array(ids, pa.string()),
        "image": pa.array([""] * number, pa.string()),
        "text": pa.array(ids, pa.string()),
        "class_path": pa.array(["hats"] * number, pa.string()),
        "split": pa.array(["added"] * number, pa.string()),
        "x": empty,
        "y": empty,
        BASE: pa.array([base] * number, pa.string()),
        **{name: pa.array(values) for name, values in attributes.items()},
        "vector": vector_array(np.ones((number, 2), np.float32)),
    }
    return pa.table(columns)


def standing(index, base="one"):
    return stand(read_changes(index), ITEM_IDS, ATTRIBUTES, base)


@pytest.fixture
def index(tmp_path):
    return tmp_path / "index"


def write(index, *entries, key=None):
    for entry in entries:
        with changing(index):
            write_entry(index, MadeFor("model", {}, key), entry)


def test_without_changes_there_is_nothing(index):
    assert read_changes(index) is None


@pytest.mark.parametrize("sparse", [False, True])
def test_frozen_features_are_kept_with_the_items_that_have_them(index, sparse):
    block = np.eye(3, dtype=np.float16)
    given = csr_matrix(block.astype(np.float32)) if sparse else block
    write(index, Entry(rows(["d", "e", "f"]), features={"text": (["d", "e", "f"], given)}))
    changes = read_changes(index)
    ((ids, found),) = changes.features("text", {"f": 0, "e": 1, "d": 0})
    assert ids == ["d", "f"]
    assert np.array_equal(found.toarray() if sparse else found, np.eye(3)[[0, 2]])
    assert list(changes.features("image")) == []
    assert list(changes.features("text", {"x": 0})) == []


def test_all_changes_can_be_put_together(index):
    write(index, Entry(rows(["d"])), Entry(rows(["e"])))
    with changing(index):
        replace_entries(index, MadeFor("model", {}, None), Entry(rows(["d", "e"])))
    assert standing(index).items["item_id"].to_pylist() == ["d", "e"]
    folder = changes_folder(index)
    assert [path.name for path in folder.iterdir() if path.is_dir()] == ["000003"]
    with changing(index):
        replace_entries(index, MadeFor("model", {}, None), None)
    assert read_changes(index) is None
    write(index, Entry(rows(["d"])))
    assert standing(index).items["item_id"].to_pylist() == ["d"]
    with changing(index):
        replace_entries(index, MadeFor("model", {}, None), None)
    assert [path for path in folder.iterdir() if path.is_dir()] == []


def test_a_newer_format_and_a_damaged_file_are_refused(index):
    write(index, Entry(rows(["d"])))
    (changes_folder(index) / "000001" / "items.parquet").write_bytes(b"no")
    with pytest.raises(InputError, match="not a readable Parquet file"):
        standing(index)
    for removed in (None, [3], "a"):
        write_json(changes_folder(index) / "000001" / "removed.json", removed)
        with pytest.raises(InputError, match=r"removed\.json: damaged"):
            standing(index)
    for entries in (None, 3, [".."], [""], ["a/b"], [None]):
        described = {"format_version": 1, "model": "m", "entries": entries}
        write_json(changes_folder(index) / "changes.json", described)
        with pytest.raises(InputError, match=r"changes\.json: damaged"):
            read_changes(index)
    write_json(changes_folder(index) / "changes.json", {"format_version": 9})
    with pytest.raises(InputError, match="format version 9"):
        read_changes(index)


@pytest.mark.parametrize("name", ["../000001", "/tmp", "000001/../../model"])
def test_no_folder_elsewhere_is_read_or_removed(index, name):
    write(index, Entry(rows(["d"])))
    path = changes_folder(index) / "changes.json"
    write_json(path, read_json(path) | {"entries": [name]})
    with pytest.raises(InputError, match="damaged"):
        read_changes(index)


def test_two_commands_do_not_change_an_index_at_once(index, monkeypatch):
    monkeypatch.setattr(stored, "WAIT", 0.1)
    write(index, Entry(rows(["d"])))
    with (
        FileLock(changes_folder(index) / ".lock"),
        pytest.raises(InputError, match="another command is changing it"),
        changing(index),
    ):
        pass


WRITER = """
import sys
from pathlib import Path
from pipeline.index.changes import Entry, MadeFor, changing, replace_entries, write_entry
from tests.pipeline.index.test_changes import rows, standing

index = Path(sys.argv[1])
print("ready", flush=True)
for n in range(10_000):
    with changing(index):
        write_entry(index, MadeFor("model", {}, None), Entry(rows([f"n{n}"])))
        if n % 3 == 2:
            replace_entries(index, MadeFor("model", {}, None), Entry(standing(index).items))
    print(n, flush=True)
"""


def test_a_command_that_is_killed_has_changed_nothing_or_all(tmp_path):
    generator = random.Random(0)
    for kill in range(6):
        index = tmp_path / str(kill)
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, index], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.05 + generator.random() * 0.3)
            process.send_signal(signal.SIGKILL)
            said = [int(line) for line in process.stdout]
        told = said[-1] + 1 if said else 0
        if read_changes(index) is None:
            assert told == 0
            continue
        ids = standing(index).items["item_id"].to_pylist()
        assert ids == [f"n{n}" for n in range(len(ids))]
        assert told <= len(ids) <= told + 1
        # And goes on, without what the killed command left.
        write(index, Entry(rows(["after"])))
        assert standing(index).items["item_id"].to_pylist() == [*ids, "after"]
        names = {path.name for path in changes_folder(index).iterdir() if path.is_dir()}
        assert names == set(read_changes(index).names)


def test_an_error_while_an_index_is_changed_is_told_as_it_is(index):
    with pytest.raises(FileNotFoundError, match="elsewhere"), changing(index):
        raise FileNotFoundError("elsewhere")
    with changing(index):  # and nobody waits for it
        pass


def test_what_is_read_while_a_command_changes_it_is_read_again(index):
    write(index, Entry(rows(["d"])))
    seen = []

    def read(changes):
        if not seen:
            replace_entries(index, MadeFor("model", {}, None), Entry(rows(["d", "e"])))
        seen.append(changes.names)
        return changes.names

    assert read_steadily(index, read) == ("000002",)
    assert seen == [("000001",), ("000002",)]
