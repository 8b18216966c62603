import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import InputError
from pipeline.core.vectors import vector_array
from pipeline.features.vector_rows import VectorRows


@pytest.fixture
def table(tmp_path):
    """Ten rows in groups of four; row n is (n, n, n) in one column and (10 n, 10 n) in another."""
    number_N1 = np.arange(10)[:, None]
    columns = {
        "item_id": [str(n) for n in range(10)],
        "single": vector_array((number_N1 * np.ones(3)).astype(np.float32)),
        "half": vector_array((10 * number_N1 * np.ones(2)).astype(np.float16)),
    }
    pq.write_table(pa.table(columns), tmp_path / "table", row_group_size=4)
    return tmp_path / "table"


def test_rows_come_in_the_order_asked_for(table):
    row_R = np.array([9, 0, 4, -1, 3, 4])
    read = VectorRows(table, ["single"]).read(row_R)
    assert read.tolist() == [[n] * 3 for n in (9, 0, 4, 0, 3, 4)]  # zeros for what is missing
    assert read.dtype == np.float32


def test_columns_stand_side_by_side_as_float32(table):
    rows = VectorRows(table, ["half", "single"])
    assert rows.dimension == 5
    read = rows.read(np.array([7, 1]))
    assert read.tolist() == [[70, 70, 7, 7, 7], [10, 10, 1, 1, 1]]
    assert read.dtype == np.float32


def test_row_groups_of_rows(table):
    groups = VectorRows(table, ["single"]).row_group(np.array([0, 3, 4, 7, 8, 9]))
    assert groups.tolist() == [0, 0, 1, 1, 2, 2]


def test_a_column_without_vectors_is_named(table):
    with pytest.raises(InputError, match="column item_id holds no fixed-size vectors"):
        VectorRows(table, ["item_id"])
