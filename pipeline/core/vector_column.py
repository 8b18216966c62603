"""A vector column of an Arrow table: fixed-size lists, to and from a matrix without Python lists.

Shape letters: N rows, D dimension.
"""

import numpy as np
import pyarrow as pa


def vector_array(vector_ND: np.ndarray) -> pa.FixedSizeListArray:
    """[N, D] float16 or float32 -> N fixed-size lists, without a copy where it is contiguous."""
    flat = pa.array(np.ascontiguousarray(vector_ND).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, vector_ND.shape[1])


def vector_matrix(column: pa.ChunkedArray) -> np.ndarray:
    """N fixed-size lists -> [N, D] of their own type, read-only where no copy was needed."""
    dimension = column.type.list_size
    flat = column.combine_chunks().flatten()
    return flat.to_numpy(zero_copy_only=False).reshape(-1, dimension)
