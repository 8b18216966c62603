"""A block of text features, dense or sparse, and which of its rows can be used.

Shape letters: N texts, E features.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from scipy.sparse import csr_matrix, vstack

Block: TypeAlias = "np.ndarray | csr_matrix"
"""[N, E] float32 features of N texts."""


def finite_rows(block: Block) -> np.ndarray:
    """[N] bool: the texts of [N, E] all of whose features are finite.

    One that is not spoils every batch it is in, long after it was made.
    """
    if not isinstance(block, csr_matrix):
        return np.asarray(np.isfinite(block).all(axis=1))
    row_of_value = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
    finite_N = np.ones(block.shape[0], dtype=bool)
    finite_N[row_of_value[~np.isfinite(block.data)]] = False
    return finite_N


def stack_rows(blocks: Sequence[Block]) -> Block:
    """Put blocks of the same features below each other; at least one, all dense or all sparse."""
    if isinstance(blocks[0], np.ndarray):
        return np.concatenate(blocks)
    return vstack(blocks).tocsr()
