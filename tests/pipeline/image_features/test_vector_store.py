import os
import resource
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.core.errors import InputError
from pipeline.core.location import locate
from pipeline.image_features.vector_store import VectorStore


def key(number):
    return number.to_bytes(32, "big")


@pytest.fixture
def store(tmp_path):
    """Rows 0..5 in two files; row n holds n, n + 1, n + 2 and has 100 + n pixels."""
    store = VectorStore(tmp_path / "store", 3)
    for rows in ([0, 1, 2, 3], [4, 5]):
        store.write([key(n) for n in rows], [100 + n for n in rows], matrix(rows))
    return store


def matrix(rows):
    return np.array(rows, dtype=np.float32)[:, None] + np.arange(3, dtype=np.float32)


def test_rows_are_found_and_read_in_any_order(store):
    found = store.find({key(n) for n in (5, 1, 3, 9)})
    assert sorted(found) == [key(1), key(3), key(5)]
    assert [found[key(n)].pixels for n in (1, 3, 5)] == [101, 103, 105]
    order = [5, 1, 3, 1]
    assert np.array_equal(store.read([found[key(n)] for n in order]), matrix(order))


def test_a_store_that_is_not_there_is_empty(tmp_path):
    assert VectorStore(tmp_path / "nowhere", 3).find({key(0)}) == {}
    assert VectorStore(tmp_path / "nowhere", 3).read([]).shape == (0, 3)


def test_the_same_rows_are_the_same_file(store):
    before = sorted(store.folder.iterdir())
    store.write([key(4), key(5)], [104, 105], matrix([4, 5]))
    assert sorted(store.folder.iterdir()) == before


def test_a_damaged_file_is_removed_and_the_others_serve(store):
    for path in store.folder.iterdir():
        if path.stat().st_size == min(other.stat().st_size for other in store.folder.iterdir()):
            data = bytearray(path.read_bytes())
            data[-200] ^= 4
            path.write_bytes(data)
    found = store.find({key(n) for n in range(6)})
    assert len(found) in (2, 4)
    assert len(list(store.folder.iterdir())) == 1


def test_an_empty_file_is_removed(store):
    (store.folder / f"{'0' * 32}.arrow").touch()
    assert len(store.find({key(n) for n in range(6)})) == 6
    assert len(list(store.folder.iterdir())) == 2


def test_a_file_that_cannot_be_read_now_is_left_alone(store, monkeypatch):
    files = sorted(store.folder.iterdir())
    memory_map = pa.memory_map

    def fail_once(path):
        if Path(path) == files[0]:
            raise OSError(116, "Stale file handle")
        return memory_map(path)

    with monkeypatch.context() as context:
        context.setattr(pa, "memory_map", fail_once)
        assert len(store.find({key(n) for n in range(6)})) in (2, 4)
    assert sorted(store.folder.iterdir()) == files
    assert len(store.find({key(n) for n in range(6)})) == 6


def test_vectors_of_another_length_are_not_used(store):
    assert VectorStore(store.folder, 4).find({key(0)}) == {}


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
            store.write([key(8)], [1], matrix([8]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(store.folder.iterdir()) == before


def names(place):
    return sorted(place.list_below()[0])


def test_machines_share_a_store_on_another_filesystem(bucket, tmp_path):
    one = VectorStore(bucket / "vectors", 3, tmp_path / "one")
    other = VectorStore(bucket / "vectors", 3, tmp_path / "other")
    assert one.find({key(0)}) == {}
    one.write([key(0)], [100], matrix([0]))
    VectorStore(bucket / "vectors", 3).write([key(1)], [101], matrix([1]))
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
    store = VectorStore(bucket, 3, tmp_path / "copies")
    for n in (0, 1):
        store.write([key(n)], [100], matrix([n]))
    first, second = names(bucket)
    (bucket / first).write_bytes(b"damaged")
    assert len(store.find({key(0), key(1)})) == 1
    assert names(bucket) == [second]
    (tmp_path / "copies" / second).write_bytes(b"damaged")
    assert store.find({key(0), key(1)}) == {}
    assert len(store.find({key(0), key(1)})) == 1


def test_a_shared_store_that_cannot_be_reached_is_one_line(s3, tmp_path):
    place = locate("s3://no-such-bucket-of-ours/vectors", "machine.vector_store")
    store = VectorStore(place, 3, tmp_path / "copies")
    with pytest.raises(
        InputError, match=r"machine\.vector_store: s3://no-such.* cannot be written"
    ):
        store.write([key(0)], [100], matrix([0]))
    with pytest.raises(InputError, match=r"machine\.vector_store: s3://no-such.* cannot be listed"):
        store.find({key(0)})
