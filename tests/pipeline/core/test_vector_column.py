import numpy as np
import pyarrow as pa

from pipeline.core.vector_column import vector_array, vector_matrix


def test_a_matrix_in_another_memory_order_is_stored_by_rows():
    vector_ND = np.asfortranarray(np.arange(6, dtype=np.float32).reshape(3, 2))
    assert vector_array(vector_ND).to_pylist() == [[0, 1], [2, 3], [4, 5]]
    assert vector_array(vector_ND[::2, ::-1]).to_pylist() == [[1, 0], [5, 4]]


def test_a_slice_of_a_column_is_its_own_rows():
    column = pa.chunked_array([vector_array(np.arange(8, dtype=np.float32).reshape(4, 2))])
    assert vector_matrix(column.slice(1, 2)).tolist() == [[2, 3], [4, 5]]
