import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from scipy.sparse import csr_matrix

from pipeline.core.errors import InputError
from pipeline.features.text_file import columns_of
from pipeline.features.text_rows import TextRows
from tests.feature_tables import text_matrix, text_of

COUNT = 23


@pytest.fixture
def blocks():
    random = np.random.default_rng(0)
    words = random.normal(size=(COUNT, 9)) * (random.uniform(size=(COUNT, 9)) < 0.3)
    other = np.eye(COUNT, 30)
    return {
        "tfidf": csr_matrix(words.astype(np.float32)),
        "glove": random.normal(size=(COUNT, 3)).astype(np.float32),
        "more": csr_matrix(other.astype(np.float32)),
        "sentence": random.normal(size=(COUNT, 2)).astype(np.float32),
    }


def write(path, blocks, *, metadata=None, row_group=5):
    columns = {"item_id": [f"item-{n}" for n in range(COUNT)]}
    for name, block in blocks.items():
        columns |= columns_of(name, block)
    noted = {f"{name}.columns": str(block.shape[1]) for name, block in blocks.items()}
    table = pa.table(columns).replace_schema_metadata(noted if metadata is None else metadata)
    pq.write_table(table, path, row_group_size=row_group)
    return path


ROWS = np.array([22, 0, 7, 7, 13, 4, 5])


def test_rows_of_dense_and_sparse_blocks_are_those_that_were_written(blocks, tmp_path):
    rows = TextRows(write(tmp_path / "text.parquet", blocks))
    assert (rows.dimension, rows.num_words) == (5, 39)
    expected = text_matrix(text_of(blocks), 39)
    assert torch.equal(text_matrix(rows.read(ROWS), 39), expected[ROWS])
    assert np.array_equal(rows.read_matrix(ROWS).toarray(), expected[ROWS])


def test_dense_blocks_alone_are_a_tensor(blocks, tmp_path):
    dense = {name: blocks[name] for name in ("sentence", "glove")}
    rows = TextRows(write(tmp_path / "text.parquet", dense))
    found = rows.read(ROWS)
    assert isinstance(found, torch.Tensor)
    assert torch.equal(found, text_of(dense)[ROWS])
    assert np.array_equal(rows.read_matrix(ROWS), found.numpy())
    assert rows.words(ROWS) == 0
    assert rows.nbytes(7, 0) == 7 * 20


def test_a_sparse_block_alone(blocks, tmp_path):
    rows = TextRows(write(tmp_path / "text.parquet", {"tfidf": blocks["tfidf"]}))
    found = rows.read(np.arange(COUNT))
    assert found.dense_NT.shape == (COUNT, 0)
    assert np.array_equal(text_matrix(found, 9), blocks["tfidf"].toarray())


def test_the_memory_of_texts_goes_by_their_own_words(blocks, tmp_path):
    rows = TextRows(write(tmp_path / "text.parquet", blocks))
    count_N = np.diff(blocks["tfidf"].indptr) + np.diff(blocks["more"].indptr)
    missing = np.array([-1, *ROWS, -1])
    assert rows.words(missing) == count_N[ROWS].sum()
    found = rows.read(missing)
    parts = (found.dense_NT, found.first_N, found.length_N, found.word_P, found.weight_P)
    assert rows.nbytes(9, rows.words(missing)) == sum(part.nbytes for part in parts)


@pytest.mark.parametrize("names", [("glove",), ("glove", "tfidf")])
def test_a_missing_row_is_zeros(blocks, tmp_path, names):
    rows = TextRows(write(tmp_path / "text.parquet", {name: blocks[name] for name in names}))
    found = text_matrix(rows.read(np.array([-1, 3, -1])), 9)
    assert not found[[0, 2]].any()
    assert found[1].any()
    assert len(rows.read(np.array([-1, -1]))) == 2
    assert len(rows.read(np.array([], dtype=np.int64))) == 0


def test_a_sparse_block_of_unknown_width_is_refused(blocks, tmp_path):
    path = write(tmp_path / "text.parquet", {"tfidf": blocks["tfidf"]}, metadata={})
    with pytest.raises(InputError, match="does not say how many columns block tfidf has"):
        TextRows(path)


def test_a_column_without_its_partner_is_named(blocks, tmp_path):
    table = pa.table({"item_id": ["a"], "tfidf_indices": [[1]]})
    pq.write_table(table, tmp_path / "text.parquet")
    with pytest.raises(InputError, match="no column tfidf_values"):
        TextRows(tmp_path / "text.parquet")


def test_the_columns_of_every_block_are_known(blocks, tmp_path):
    rows = TextRows(write(tmp_path / "text.parquet", blocks))
    assert len(rows) == COUNT
    matrix = rows.read_matrix(np.arange(COUNT)).toarray()
    assert set(rows.columns) == set(blocks)
    for name, block in blocks.items():
        dense = block.toarray() if isinstance(block, csr_matrix) else block
        assert (matrix[:, rows.columns[name]] == dense).all()
