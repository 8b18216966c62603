import os
import resource
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.core import vector_store
from pipeline.core.errors import InputError
from pipeline.core.location import locate
from pipeline.core.vector_store import VectorStore, read_digested, write_digested

TABLE = pa.table({"key": ["a", "b"], "value": [1, 2]})


def key(number):
    return number.to_bytes(32, "big")


@pytest.fixture
def store(tmp_path):
    """Rows 0..5 in two files; row n holds n, n + 1, n + 2 and has 100 + n pixels."""
    store = VectorStore(tmp_path / "store")
    for rows in ([0, 1, 2, 3], [4, 5]):
        store.write([key(n) for n in rows], matrix(rows), [100 + n for n in rows])
    return store


def matrix(rows):
    return np.array(rows, dtype=np.float32)[:, None] + np.arange(3, dtype=np.float32)


def files(store):
    return sorted(store.folder.glob("*.arrow"))


def test_rows_are_found_and_read_in_any_order(store):
    found = store.find({key(n) for n in (5, 1, 3, 9)})
    assert sorted(found) == [key(1), key(3), key(5)]
    assert [found[key(n)].pixels for n in (1, 3, 5)] == [101, 103, 105]
    order = [5, 1, 3, 1]
    assert np.array_equal(store.read([found[key(n)] for n in order]), matrix(order))


def test_a_file_is_compared_with_its_name_once(store, monkeypatch):
    store.find({key(1)})
    read = []
    monkeypatch.setattr(
        vector_store,
        "read_digested",
        lambda path, **options: read.append(path) or read_digested(path, **options),
    )
    store.write([key(6)], matrix([6]), [106])
    found = store.find({key(1), key(6)})
    assert len(read) == 1
    assert np.array_equal(store.read([found[key(6)], found[key(1)]]), matrix([6, 1]))
    (store.folder / found[key(6)].file).unlink()
    assert set(store.find({key(1), key(6)})) == {key(1)}


def test_a_later_process_reads_in_full_what_is_new_or_changed_alone(store, monkeypatch):
    every = {key(n) for n in range(7)}
    hashed = []
    name = vector_store._name
    monkeypatch.setattr(vector_store, "_name", lambda data: hashed.append(len(data)) or name(data))

    def find():
        hashed.clear()
        return len(VectorStore(store.folder).find(every)), len(hashed)

    assert find() == (6, 2)
    assert find() == (6, 0)
    store.write([key(6)], matrix([6]), [106])
    assert find() == (7, 1)
    changed = max(files(store), key=lambda path: path.stat().st_size)
    data = bytearray(changed.read_bytes())
    data[-200] ^= 4
    changed.write_bytes(data)
    assert find() == (3, 1)
    assert find() == (3, 0)
    (store.folder / "checked.json").write_text('{"no": "note"}')
    assert find() == (3, 2)


def test_rows_of_texts_have_no_pixels_and_come_back_exactly(tmp_path):
    store = VectorStore(tmp_path / "store")
    vector_MD = np.random.default_rng(0).standard_normal((100, 3), np.float32)
    keys = [f"{n}".encode() for n in range(100)]
    store.write(keys, vector_MD)
    found = store.find(set(keys))
    assert found[keys[7]].pixels == 0
    assert np.array_equal(store.read([found[key] for key in keys]), vector_MD)


def test_a_store_that_is_not_there_is_empty_and_of_no_rows_nothing_is_written(tmp_path):
    store = VectorStore(tmp_path / "nowhere")
    assert store.find({key(0)}) == {}
    store.write([], np.empty((0, 3), np.float32))
    assert not (tmp_path / "nowhere").exists()


def test_the_same_rows_are_the_same_file(store):
    before = files(store)
    store.write([key(4), key(5)], matrix([4, 5]), [104, 105])
    assert files(store) == before


def test_a_damaged_file_is_removed_and_the_others_serve(store):
    path = min(files(store), key=lambda path: path.stat().st_size)
    data = bytearray(path.read_bytes())
    data[-200] ^= 4
    path.write_bytes(data)
    (store.folder / f"{'0' * 32}.arrow").touch()
    assert len(store.find({key(n) for n in range(6)})) in (2, 4)
    assert len(files(store)) == 1


def test_a_file_that_cannot_be_read_now_is_left_alone(store, monkeypatch):
    before = files(store)
    memory_map = pa.memory_map

    def fail_once(path):
        if Path(path) == before[0]:
            raise OSError(116, "Stale file handle")
        return memory_map(path)

    with monkeypatch.context() as context:
        context.setattr(pa, "memory_map", fail_once)
        assert len(store.find({key(n) for n in range(6)})) in (2, 4)
    assert files(store) == before
    assert len(store.find({key(n) for n in range(6)})) == 6


def test_what_a_killed_process_left_is_swept_after_an_hour(store):
    fresh, stale = store.folder / ".x.1.tmp", store.folder / ".y.1.tmp"
    for path in (fresh, stale):
        path.write_bytes(b"half")
    os.utime(stale, (0, 0))
    store.find(set())
    assert fresh.exists()
    assert not stale.exists()


def test_a_full_disk_is_one_line_and_leaves_no_file(store):
    before = sorted(store.folder.iterdir())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
    try:
        with pytest.raises(InputError, match="cannot be written"):
            store.write([key(8)], matrix([8]), [1])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(store.folder.iterdir()) == before


@pytest.mark.parametrize("pixels", [None, [7]])
def test_many_small_files_become_few_and_serve_whoever_has_them_open(tmp_path, monkeypatch, pixels):
    monkeypatch.setattr(vector_store, "SMALL_FILES", 10)
    # Three rows of three numbers.
    monkeypatch.setattr(vector_store, "SMALL_BYTES", 36)
    store, reader = VectorStore(tmp_path), VectorStore(tmp_path)
    for n in range(9):
        store.write([key(n)], matrix([n]), pixels)
    wanted = {key(n) for n in range(10)}
    open_before = reader.find(wanted)
    # The same row by two processes.
    store.write([key(9), key(0)], matrix([9, 0]), pixels and pixels * 2)
    found = store.find(wanted)
    assert len(files(store)) == 4
    assert found[key(3)].pixels == (7 if pixels else 0)
    order = list(range(9))
    for one, places in ((store, found), (reader, open_before)):
        assert np.array_equal(one.read([places[key(n)] for n in order]), matrix(order))


def test_files_that_another_process_merges_meanwhile_are_read_merged(store, monkeypatch):
    first, second = files(store)

    def merge(path, **options):
        if first.exists():
            merged = pa.concat_tables([read_digested(first), read_digested(second)])
            for old in (first, second):
                old.unlink()
            write_digested(store.folder, merged)
        return read_digested(path, **options)

    monkeypatch.setattr(vector_store, "read_digested", merge)
    found = store.find({key(n) for n in range(6)})
    order = list(range(6))
    assert np.array_equal(store.read([found[key(n)] for n in order]), matrix(order))


def test_recipes_not_used_for_longest_make_way(tmp_path, monkeypatch):
    monkeypatch.setattr(vector_store, "RECIPES_KEPT", 2)
    (tmp_path / "graphs").mkdir()
    (tmp_path / ("d" * 32)).mkdir()
    (tmp_path / ("d" * 32) / "cat.jpg").touch()  # not of a store, whatever it is called
    for number, name in enumerate(["a" * 32, "b" * 32, "c" * 32]):
        store = VectorStore(tmp_path / name, f"recipe {number}")
        store.write([key(0)], matrix([0]))
        assert len(store.find({key(0)})) == 1
        os.utime(store.folder / "recipe.txt", (number, number))
        if number == 1:  # the first is used again
            VectorStore(tmp_path / ("a" * 32), "recipe 0").find(set())
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a" * 32,
        "c" * 32,
        "d" * 32,
        "graphs",
    ]
    assert (tmp_path / ("a" * 32) / "recipe.txt").read_text() == "recipe 0\n"


def names(place):
    return sorted(name for name in place.list_below()[0] if name.endswith(".arrow"))


def test_machines_share_a_store_on_another_filesystem(bucket, tmp_path):
    one = VectorStore(bucket / "vectors", "recipe", tmp_path / "one")
    other = VectorStore(bucket / "vectors", "recipe", tmp_path / "other")
    assert one.find({key(0)}) == {}
    one.write([key(0)], matrix([0]), [100])
    VectorStore(bucket / "vectors").write([key(1)], matrix([1]), [101])
    for store in (one, other):
        found = store.find({key(0), key(1)})
        assert np.array_equal(store.read([found[key(1)], found[key(0)]]), matrix([1, 0]))
    # A copy serves from then on: nothing is fetched twice.
    first, second = names(bucket / "vectors")
    (tmp_path / "one" / first).unlink()
    before = (tmp_path / "one" / second).stat()
    assert len(one.find({key(0), key(1)})) == 2
    assert (tmp_path / "one" / second).stat() == before


def test_damage_on_either_side_is_recognised(bucket, tmp_path):
    store = VectorStore(bucket, copies=tmp_path / "copies")
    for n in (0, 1):
        store.write([key(n)], matrix([n]), [100])
    first, second = names(bucket)
    (bucket / first).write_bytes(b"damaged")
    assert len(store.find({key(0), key(1)})) == 1
    assert names(bucket) == [second]
    (tmp_path / "copies" / second).write_bytes(b"damaged")
    store = VectorStore(bucket, copies=tmp_path / "copies")
    assert store.find({key(0), key(1)}) == {}
    assert len(store.find({key(0), key(1)})) == 1


def test_a_shared_store_that_cannot_be_reached_is_one_line(s3, tmp_path):
    place = locate("s3://no-such-bucket-of-ours/vectors", "machine.vector_store")
    store = VectorStore(place, "recipe", tmp_path / "copies")
    with pytest.raises(
        InputError, match=r"machine\.vector_store: s3://no-such.* cannot be written"
    ):
        store.write([key(0)], matrix([0]), [100])
    with pytest.raises(InputError, match=r"machine\.vector_store: s3://no-such.* cannot be listed"):
        store.find({key(0)})


@pytest.fixture
def digested(tmp_path):
    return tmp_path / write_digested(tmp_path, TABLE)


def test_a_table_comes_back_and_another_one_has_another_name(digested, tmp_path):
    assert read_digested(digested).equals(TABLE)
    assert write_digested(tmp_path, TABLE) == digested.name
    assert write_digested(tmp_path, TABLE.slice(1)) != digested.name


def test_any_changed_byte_and_any_cut_is_noticed(digested):
    whole = digested.read_bytes()
    for place in range(len(whole)):
        digested.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert read_digested(digested) is None, place
    for end in (0, 1, 100, -1):
        digested.write_bytes(whole[:end])
        assert read_digested(digested) is None
    digested.unlink()
    with pytest.raises(FileNotFoundError):
        read_digested(digested)


def test_in_a_place_that_the_user_chose_nothing_is_merged_or_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(vector_store, "RECIPES_KEPT", 1)
    monkeypatch.setattr(vector_store, "SMALL_FILES", 2)
    other = tmp_path / ("a" * 32)
    VectorStore(other).write([key(0)], matrix([0]))
    os.utime(other, (0, 0))
    store = VectorStore(tmp_path / ("b" * 32), "recipe", shared=True)
    for number in range(3):
        store.write([key(number)], matrix([number]))
    before = sorted(store.folder.glob("*.arrow"))
    assert len(store.find({key(0), key(1), key(2)})) == 3
    assert sorted(store.folder.glob("*.arrow")) == before
    assert len(list(other.iterdir())) == 1
    # The same in DVC's cache.
    VectorStore(tmp_path / ("b" * 32), "recipe").find(set())
    assert len(list(store.folder.glob("*.arrow"))) == 1
    assert not other.exists()


def test_a_recipe_that_a_run_still_adds_to_is_in_use(tmp_path, monkeypatch):
    monkeypatch.setattr(vector_store, "RECIPES_KEPT", 2)
    writing, idle, new = (VectorStore(tmp_path / (letter * 32), letter) for letter in "abc")
    for store in (writing, idle):
        store.find(set())
        os.utime(store.folder / "recipe.txt", (0, 0))
        os.utime(store.folder, (0, 0))
    writing.write([key(0)], matrix([0]))
    new.find(set())
    assert sorted(path.name[0] for path in tmp_path.iterdir()) == ["a", "c"]
