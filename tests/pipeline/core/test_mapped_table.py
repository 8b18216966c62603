import numpy as np
import pyarrow as pa
import pytest

from pipeline.core.errors import InputError
from pipeline.core.mapped_table import MappedVectors, map_table, write_mapped
from pipeline.core.vectors import vector_array

VECTOR_MD = np.arange(21, dtype=np.float32).reshape(7, 3)


@pytest.fixture
def table():
    return pa.table({"name": list("abcdefg"), "vector": vector_array(VECTOR_MD)})


def test_what_is_written_is_read(tmp_path, table):
    rows = write_mapped(tmp_path / "new" / "x.arrow", table.schema, table.to_batches())
    assert rows == 7
    assert map_table(tmp_path / "new" / "x.arrow", ["vector"]) == table


def test_no_rows_are_a_table_too(tmp_path, table):
    assert write_mapped(tmp_path / "x.arrow", table.schema, []) == 0
    found = map_table(tmp_path / "x.arrow", ["vector"])
    assert found.schema == table.schema
    assert MappedVectors(found["vector"])[np.arange(0)].shape == (0, 3)


@pytest.mark.parametrize("at_once", [1, 2, 3, 7])
def test_rows_are_found_in_any_order_whatever_the_batches(tmp_path, table, at_once):
    write_mapped(tmp_path / "x.arrow", table.schema, table.to_batches(max_chunksize=at_once))
    vectors = MappedVectors(map_table(tmp_path / "x.arrow", ["vector"])["vector"])
    row_M = np.array([6, 0, 3, 3, 2])
    assert vectors.dimension == 3
    assert np.array_equal(vectors[row_M], VECTOR_MD[row_M])


def test_what_is_mapped_takes_no_memory_of_arrow(tmp_path):
    large = pa.table({"vector": vector_array(np.ones((1000, 1000), np.float32))})
    write_mapped(tmp_path / "x.arrow", large.schema, large.to_batches())
    del large
    before = pa.total_allocated_bytes()
    vectors = MappedVectors(map_table(tmp_path / "x.arrow", [])["vector"])
    assert vectors[np.array([1])].tolist() == [[1] * 1000]
    # The table itself would be 4 MB.
    assert pa.total_allocated_bytes() < before + 100_000


def test_a_failure_leaves_no_file(tmp_path, table):
    def batches():
        yield table.to_batches()[0]
        raise InputError("no more")

    with pytest.raises(InputError, match="no more"):
        write_mapped(tmp_path / "x.arrow", table.schema, batches())
    assert list(tmp_path.iterdir()) == []


def test_missing_and_damaged_files_are_told(tmp_path, table):
    path = tmp_path / "x.arrow"
    with pytest.raises(InputError, match=r"x\.arrow: not found; run the stage"):
        map_table(path, [])
    write_mapped(path, table.schema, table.to_batches())
    with pytest.raises(InputError, match=r"x\.arrow: no column price; it has name, vector"):
        map_table(path, ["price"])
    whole = path.read_bytes()
    for content in (b"", b"nonsense" * 9, whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"x\.arrow: not a readable Arrow file .* make it"):
            map_table(path, [])
