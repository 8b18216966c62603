"""The nearest other rows of many vectors, in less than all pairs.

Whitened principal components find a changed copy of a picture among look-alikes as well as all of
its features do, in a tenth of the memory: they weigh what tells items apart, not what most share.

Shape letters: N vectors, F features, D components, K neighbours, M vectors fitted on, B of a block.
"""

from collections.abc import Callable
from typing import Any

import faiss
import numpy as np

from pipeline.core.sample import draw_sample

COMPONENTS = 128
FIT_ROWS = 20_000
EXACT_ROWS = 50_000
"""Up to so many all distances are computed; of more, those to the nearest lists of an index."""
PROBES = 16
"""Lists that are looked at per vector; there are as many as the square root of the vectors."""
ROWS = 8192


def nearest_others(
    read: Callable[[np.ndarray], np.ndarray], count: int, neighbours: int
) -> np.ndarray:
    """Find the vectors nearest to each, by cosine of their whitened components.

    Time is N times the square root of N beyond EXACT_ROWS; memory is 8 D bytes a vector, as the
    index has a copy.

    Args:
        read: From [B] positions to [B, F] float32 vectors.
        count: N.
        neighbours: K.

    Returns:
        [N, K] int64 positions, the nearest first; -1 where there are no more.
    """
    if count < 2:
        return np.full((count, neighbours), -1)
    unit_ND = _whitened(read, count)
    index = _index(unit_ND)
    found_NK = np.full((count, neighbours), -1)
    for start in range(0, count, ROWS):
        position_B = np.arange(start, min(start + ROWS, count))
        # One more, as a vector is near itself; among equal ones it may not be the first.
        near_BK = index.search(unit_ND[position_B], neighbours + 1)[1]
        near_BK = np.where(near_BK == position_B[:, None], -1, near_BK)
        last = np.argsort(near_BK < 0, axis=1, kind="stable")[:, :neighbours]
        found_NK[position_B] = np.take_along_axis(near_BK, last, axis=1)
    return found_NK


def _whitened(read: Callable[[np.ndarray], np.ndarray], count: int) -> np.ndarray:
    """[N, D] float32 rows of unit norm."""
    fitted_MF = _unit(read(draw_sample(count, FIT_ROWS, seed=0)))
    rows, features = fitted_MF.shape
    components = min(COMPONENTS, features, rows - 1)
    # Power -1/2: every component is divided by its standard deviation.
    whitening = faiss.PCAMatrix(features, components, -0.5)
    # A component that hardly varies would be divided by next to nothing.
    whitening.epsilon = 1e-6
    whitening.train(fitted_MF)
    unit_ND = np.empty((count, components), dtype=np.float32)
    for start in range(0, count, ROWS):
        position_B = np.arange(start, min(start + ROWS, count))
        unit_ND[position_B] = _unit(whitening.apply(_unit(read(position_B))))
    return unit_ND


def _index(unit_ND: np.ndarray) -> Any:
    count, components = unit_ND.shape
    if count <= EXACT_ROWS:
        index: Any = faiss.IndexFlatIP(components)
    else:
        lists = round(count**0.5)
        index = faiss.IndexIVFFlat(
            faiss.IndexFlatIP(components), components, lists, faiss.METRIC_INNER_PRODUCT
        )
        index.nprobe = PROBES
        index.train(unit_ND[draw_sample(count, 64 * lists, seed=0)])
    index.add(unit_ND)
    return index


def _unit(vector_BF: np.ndarray) -> np.ndarray:
    norm_B1 = np.linalg.norm(vector_BF, axis=1, keepdims=True)
    return np.ascontiguousarray(vector_BF / np.where(norm_B1 > 0, norm_B1, 1), dtype=np.float32)
