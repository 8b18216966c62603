"""Text features side by side in one matrix: what other libraries take, and what ONNX takes.

Nothing here needs torch: a query from the shell need not wait for its import.

Shape letters: N texts, E features of a block, T dense features, V vocabulary, L words of the text
that has most.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix, hstack

from pipeline.core.block import Block


class TextArrays(NamedTuple):
    """Text features of which a part is sparse, as arrays."""

    dense_NT: np.ndarray
    """[N, T] float32; T may be 0."""
    word_NL: np.ndarray
    """[N, L] int32 columns of the sparse part; L is 0 where there is none."""
    weight_NL: np.ndarray
    """[N, L] float32 values in these columns; 0 where a text has fewer."""


def side_by_side(blocks: Mapping[str, Block]) -> Block:
    """Put [N, E] blocks of some texts into one matrix: the dense ones, then the sparse ones.

    Within both, their order is that in which the model was trained: of `TextFeaturizer.encode` and
    of the columns of the feature table.

    Returns:
        [N, T + V] float32, a CSR matrix if any block is one.
    """
    dense = [block for block in blocks.values() if isinstance(block, np.ndarray)]
    sparse = [block for block in blocks.values() if not isinstance(block, np.ndarray)]
    if not sparse:
        return np.concatenate(dense, axis=1)
    return hstack([*(csr_matrix(block) for block in dense), *sparse], format="csr")


def arrays_of(text_NF: Block, num_dense: int) -> TextArrays:
    """Take a matrix of `side_by_side` apart, of which the first `num_dense` columns are dense."""
    if isinstance(text_NF, np.ndarray):
        nothing = np.zeros((len(text_NF), 0), dtype=np.float32)
        return TextArrays(text_NF, nothing.astype(np.int32), nothing)
    return TextArrays(text_NF[:, :num_dense].toarray(), *pad_rows(text_NF[:, num_dense:]))


def pad_rows(block_NV: csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Columns and values of each row: [N, L] int32 and float32, zeros after the last."""
    length_N = np.diff(block_NV.indptr)
    longest = int(length_N.max(initial=0))
    filled_NL = np.arange(longest) < length_N[:, None]
    word_NL = np.zeros(filled_NL.shape, dtype=np.int32)
    weight_NL = np.zeros(filled_NL.shape, dtype=np.float32)
    word_NL[filled_NL] = block_NV.indices
    weight_NL[filled_NL] = block_NV.data
    return word_NL, weight_NL
