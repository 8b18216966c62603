import resource
from threading import Event

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import InputError
from pipeline.core.table import read_metadata
from pipeline.core.vectors import ROW_GROUP, vector_array, vector_matrix, vector_writer
from tests.feature_tables import read_vectors


def schema_of(dimension, value_type):
    vectors = pa.list_(value_type, dimension)
    return pa.schema([("item_id", pa.string()), ("vector", vectors)])


def write(path, vector_ND, batches, value_type=None):
    """Write rows 0, 1, ... in batches of the given sizes."""
    value_type = value_type or pa.float32()
    ids = [f"item-{row}" for row in range(len(vector_ND))]
    start = 0
    with vector_writer(path, schema_of(vector_ND.shape[1], value_type), {"made": "here"}) as writer:
        for size in batches:
            rows = slice(start, start + size)
            writer.append([pa.array(ids[rows], pa.string()), vector_array(vector_ND[rows])])
            start += size
        assert start == len(vector_ND)
    return ids


def test_one_array_of_vectors_is_viewed_and_several_are_put_together():
    before = pa.total_allocated_bytes()
    whole = pa.chunked_array([vector_array(np.ones((4000, 100), np.float32))])
    one_ND = vector_matrix(whole)
    assert pa.total_allocated_bytes() < before + 100_000
    assert np.array_equal(
        one_ND, vector_matrix(pa.chunked_array([*whole.slice(0, 9).chunks, *whole.slice(9).chunks]))
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_vectors_take_less_than_their_numbers_and_ids_a_dictionary(tmp_path, dtype):
    vector_ND = np.random.default_rng(0).normal(size=(500, 64)).astype(dtype)
    write(tmp_path / "x.parquet", vector_ND, [500], pa.from_numpy_dtype(dtype))
    row_group = pq.ParquetFile(tmp_path / "x.parquet").metadata.row_group(0)
    ids, vectors = row_group.column(0), row_group.column(1)
    assert vectors.encodings == ("RLE", "BYTE_STREAM_SPLIT")
    assert vectors.total_compressed_size < 0.95 * vector_ND.nbytes
    assert "RLE_DICTIONARY" in ids.encodings
    assert ids.statistics.max == "item-99"


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_vectors_come_back_bit_for_bit(tmp_path, dtype):
    vector_ND = np.random.default_rng(0).normal(size=(7, 5)).astype(dtype)
    ids = write(tmp_path / "x.parquet", vector_ND, [3, 4], pa.from_numpy_dtype(dtype))
    found_ids, found_ND = read_vectors(tmp_path / "x.parquet", "vector")
    assert found_ids == ids
    assert found_ND.dtype == dtype
    assert np.array_equal(found_ND, vector_ND)
    assert read_metadata(tmp_path / "x.parquet") == {"made": "here"}


def test_bytes_do_not_depend_on_the_batches(tmp_path):
    count = 2 * ROW_GROUP + 10
    vector_ND = np.random.default_rng(0).normal(size=(count, 2)).astype(np.float32)
    layouts = {
        "one": [count],
        "small": [1, 999] * (count // 1000) + [count % 1000],
        "exact": [ROW_GROUP, ROW_GROUP, 10],
        "empty": [0, ROW_GROUP + 1, 0, ROW_GROUP + 9, 0],
    }
    for name, sizes in layouts.items():
        write(tmp_path / name, vector_ND, sizes)
    assert len({(tmp_path / name).read_bytes() for name in layouts}) == 1
    file = pq.ParquetFile(tmp_path / "one")
    assert [file.metadata.row_group(group).num_rows for group in range(3)] == [4096, 4096, 10]
    assert np.array_equal(read_vectors(tmp_path / "one", "vector")[1], vector_ND)


def test_no_rows_give_an_empty_matrix(tmp_path):
    write(tmp_path / "x.parquet", np.zeros((0, 3), np.float32), [])
    ids, vector_ND = read_vectors(tmp_path / "x.parquet", "vector")
    assert ids == []
    assert vector_ND.shape == (0, 3)


def test_a_failure_in_the_block_leaves_the_old_file(tmp_path):
    write(tmp_path / "x.parquet", np.ones((1, 2), np.float32), [1])
    before = (tmp_path / "x.parquet").read_bytes()
    # Two of the three rows are missing when the block ends, where the helper counts them.
    with pytest.raises(AssertionError):
        write(tmp_path / "x.parquet", np.zeros((3, 2), np.float32), [1])
    assert (tmp_path / "x.parquet").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["x.parquet"]


def test_rows_are_made_while_those_before_are_written(tmp_path, monkeypatch):
    may_write, written = Event(), Event()
    write_table = pq.ParquetWriter.write_table

    def wait(self, table, row_group_size=None):
        assert may_write.wait(60)
        write_table(self, table, row_group_size)
        written.set()

    monkeypatch.setattr(pq.ParquetWriter, "write_table", wait)
    vector_ND = np.ones((ROW_GROUP, 2), np.float32)
    ids = pa.array([f"item-{row}" for row in range(ROW_GROUP)])
    with vector_writer(tmp_path / "x.parquet", schema_of(2, pa.float32()), {}) as writer:
        writer.append([ids, vector_array(vector_ND)])
        # The caller goes on, and nothing of it is written yet.
        assert not written.is_set()
        may_write.set()
    assert len(read_vectors(tmp_path / "x.parquet", "vector")[0]) == ROW_GROUP


def test_a_failure_beside_the_writing_leaves_nothing(tmp_path):
    with pytest.raises(AssertionError):
        write(tmp_path / "x.parquet", np.zeros((2 * ROW_GROUP, 2), np.float32), [ROW_GROUP + 1])
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_an_input_error(tmp_path):
    (tmp_path / "data").write_text("a file where a folder is needed")
    for path in (tmp_path / "data" / "x.parquet", tmp_path / ("x" * 254)):
        with pytest.raises(InputError, match="cannot be written"):
            write(path, np.ones((1, 2), np.float32), [1])
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_full_disk_is_an_input_error_and_leaves_nothing(tmp_path):
    vector_ND = np.random.default_rng(0).normal(size=(ROW_GROUP + 1, 8)).astype(np.float32)
    write(tmp_path / "x.parquet", vector_ND, [ROW_GROUP, 1])
    size = (tmp_path / "x.parquet").stat().st_size
    (tmp_path / "x.parquet").unlink()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The first limit is met while rows are written, the second when the file is ended.
    for limit in (1000, size - 1):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            with pytest.raises(InputError, match=r"x\.parquet: cannot be written"):
                write(tmp_path / "x.parquet", vector_ND, [ROW_GROUP, 1])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert list(tmp_path.iterdir()) == []


def test_a_matrix_in_another_memory_order_is_stored_by_rows():
    vector_ND = np.asfortranarray(np.arange(6, dtype=np.float32).reshape(3, 2))
    assert vector_array(vector_ND).to_pylist() == [[0, 1], [2, 3], [4, 5]]
    assert vector_array(vector_ND[::2, ::-1]).to_pylist() == [[1, 0], [5, 4]]


def test_a_slice_of_a_column_is_its_own_rows():
    column = pa.chunked_array([vector_array(np.arange(8, dtype=np.float32).reshape(4, 2))])
    assert vector_matrix(column.slice(1, 2)).tolist() == [[2, 3], [4, 5]]
