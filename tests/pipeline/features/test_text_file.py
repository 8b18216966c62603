import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.sparse import csr_matrix

from pipeline.core.errors import InputError
from pipeline.core.vectors import ROW_GROUP
from pipeline.features.text_file import columns_of, join_blocks, read_block, write_block

GLOVE = np.array([[1, 2], [0, 0], [3, 4]], dtype=np.float32)
TFIDF = np.array([[0, 0.5, 2], [0, 0, 0], [1, 0, 0]], dtype=np.float32)
IDS = ["a", "b", "c"]


def write(path, name, block, ids=IDS, metadata=None):
    pieces = iter([(ids[:2], block[:2]), (ids[2:], block[2:])])
    return write_block(path, name, pieces, metadata or {})


def test_columns_of_a_sparse_block_are_lists():
    columns = columns_of("tfidf", csr_matrix(TFIDF))
    assert columns["tfidf_indices"].to_pylist() == [[1, 2], [], [0]]
    assert columns["tfidf_values"].to_pylist() == [[0.5, 2.0], [], [1.0]]
    # A part of a larger matrix, as a second piece is.
    assert columns_of("tfidf", csr_matrix(TFIDF)[2:])["tfidf_indices"].to_pylist() == [[0]]


@pytest.mark.parametrize("block", [GLOVE, csr_matrix(TFIDF)])
def test_a_block_comes_with_counts_and_how_it_was_made(tmp_path, block):
    counts = write(tmp_path / "block", "x", block, metadata={"model": "m"})
    assert counts == (3, block.shape[1], 1)
    metadata = pq.read_schema(tmp_path / "block").metadata
    assert metadata[b"x.model"] == b"m"
    assert metadata[b"x.columns"] == str(block.shape[1]).encode()


def test_blocks_are_joined_column_by_column(tmp_path):
    write(tmp_path / "one", "tfidf", csr_matrix(TFIDF))
    write(tmp_path / "two", "glove", GLOVE, metadata={"vectors": "v"})
    paths = {"tfidf": tmp_path / "one", "glove": tmp_path / "two"}
    assert join_blocks(paths, tmp_path / "text", {"recipe": "letters"}) == 3
    table = pq.read_table(tmp_path / "text")
    assert table.column_names == ["item_id", "tfidf_indices", "tfidf_values", "glove"]
    assert table["item_id"].to_pylist() == IDS
    assert table["tfidf_indices"].to_pylist() == [[1, 2], [], [0]]
    assert table["glove"].to_pylist() == GLOVE.tolist()
    assert table.schema.metadata == {
        b"recipe": b"letters",
        b"tfidf.columns": b"3",
        b"glove.columns": b"2",
        b"glove.vectors": b"v",
    }


def test_blocks_larger_than_a_row_group_are_joined_in_order(tmp_path):
    count = 2 * ROW_GROUP + 5
    ids = [str(n) for n in range(count)]
    block = np.arange(count, dtype=np.float32)[:, None]
    write(tmp_path / "one", "x", block, ids)
    write(tmp_path / "two", "y", csr_matrix(block), ids)
    join_blocks({"x": tmp_path / "one", "y": tmp_path / "two"}, tmp_path / "text", {})
    table = pq.read_table(tmp_path / "text")
    assert table["item_id"].to_pylist() == ids
    assert table["x"].combine_chunks().flatten().to_pylist() == block[:, 0].tolist()
    assert table["y_values"].combine_chunks().flatten().to_pylist() == block[1:, 0].tolist()


@pytest.mark.parametrize("ids", [["a", "b", "d"], ["a", "b"]])
def test_blocks_of_other_items_are_refused(tmp_path, ids):
    write(tmp_path / "one", "x", GLOVE)
    write(tmp_path / "two", "y", GLOVE[: len(ids)], ids)
    with pytest.raises(InputError, match="not of the same items; run stage text_block again"):
        join_blocks({"x": tmp_path / "one", "y": tmp_path / "two"}, tmp_path / "text", {})
    assert not (tmp_path / "text").exists()


@pytest.mark.parametrize("block", [GLOVE, GLOVE.astype(np.float16), csr_matrix(TFIDF)])
def test_a_block_is_read_as_it_was_written(tmp_path, block):
    write(tmp_path / "block", "x", block)
    found = read_block(tmp_path / "block", "x")
    assert found.dtype == np.float32
    assert isinstance(found, csr_matrix) == isinstance(block, csr_matrix)
    assert abs(found - block).sum() == 0


def test_a_file_of_another_block_is_refused(tmp_path):
    write(tmp_path / "block", "x", GLOVE)
    with pytest.raises(InputError, match="no column y_indices"):
        read_block(tmp_path / "block", "y")
