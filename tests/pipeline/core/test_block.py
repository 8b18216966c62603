import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pipeline.core.block import finite_rows, stack_rows

# Rows: zeros alone, a number that is none, numbers alone.
BLOCK = np.array([[0, 0, 0], [1, np.nan, 0], [2, 0, 3]], dtype=np.float32)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_row_with_a_number_that_is_none_is_found(bad):
    block = np.where(np.isnan(BLOCK), np.float32(bad), BLOCK)
    assert finite_rows(block).tolist() == [True, False, True]
    assert finite_rows(csr_matrix(block)).tolist() == [True, False, True]


def test_no_text_has_no_row():
    assert finite_rows(BLOCK[:0]).tolist() == finite_rows(csr_matrix(BLOCK[:0])).tolist() == []


def test_blocks_are_put_below_each_other():
    whole = BLOCK[[0, 2]]
    assert np.array_equal(stack_rows([whole, whole[:1]]), whole[[0, 1, 0]])
    sparse = stack_rows([csr_matrix(whole), csr_matrix(whole[:1])])
    assert isinstance(sparse, csr_matrix)
    assert np.array_equal(sparse.toarray(), whole[[0, 1, 0]])
