"""Build a FAISS index of unit vectors, and measure what it misses.

Shape letters: N items, Q queries, D embedding, K neighbours.
"""

from __future__ import annotations

from math import gcd
from typing import Any

import faiss
import numpy as np

from pipeline.core.errors import InputError
from pipeline.index.settings import HnswSettings, IvfpqSettings

RECALL_AT = 10
MOST_HIDDEN = 0.01
"""Share of a graph's vectors above which it is not walked around hidden ones."""
SMALLEST_CODEBOOK = 256
"""Centroids of a product quantiser with one byte per part: as many vectors are needed."""


def build_index(vector_ND: np.ndarray, settings: HnswSettings | IvfpqSettings | None) -> Any:
    """Index vectors for search by inner product; the same vectors give the same bytes.

    Vectors have unit norm. No settings make a flat index, which is exact.

    Raises:
        InputError: The settings do not fit the vectors.
    """
    threads = faiss.omp_get_max_threads()
    # Threads race for the links of a graph: only one gives the same index every time.
    faiss.omp_set_num_threads(1)
    try:
        if settings is None:
            index = faiss.IndexFlatIP(vector_ND.shape[1])
        elif isinstance(settings, HnswSettings):
            index = _hnsw(vector_ND.shape[1], settings)
        else:
            index = _ivfpq(vector_ND, settings)
        index.add(vector_ND)
    finally:
        faiss.omp_set_num_threads(threads)
    if isinstance(index, faiss.IndexIVF):
        index.make_direct_map()  # lets an item's own vector be found again
    return index


def measure_recall(index: Any, vector_ND: np.ndarray, query_QD: np.ndarray) -> float:
    """Share of the RECALL_AT truly nearest vectors that an index of the vectors finds.

    Q is at least 1; all rows have unit norm.
    """
    k = min(RECALL_AT, len(vector_ND))
    # Not by a flat index, which would be one more copy of the vectors.
    true_QK = faiss.knn(query_QD, vector_ND, k, metric=faiss.METRIC_INNER_PRODUCT)[1]
    found_QK = index.search(query_QD, k)[1]
    hits = (true_QK[:, :, None] == found_QK[:, None, :]).any(axis=2)
    return float(hits.mean())


def every_vector(index: Any) -> tuple[Any, Any]:
    """What to search among some of the vectors, and parameters that make it look at all of these.

    A graph or a few lists alone might miss the items wanted.
    """
    if isinstance(index, faiss.IndexHNSW):
        return faiss.downcast_index(index.storage), faiss.SearchParameters()
    if isinstance(index, faiss.IndexIVF):
        parameters = faiss.SearchParametersIVF()
        parameters.nprobe = index.nlist
        return index, parameters
    return index, faiss.SearchParameters()


def usual_search(index: Any, hidden: int = 0) -> tuple[Any, Any]:
    """What to search, and parameters that make it search as it was built to.

    A graph is left when as many nearer vectors were seen as it looks at, hidden ones too: it looks
    at so many more, or at all where that would take as long.
    """
    if isinstance(index, faiss.IndexHNSW) and hidden > index.ntotal * MOST_HIDDEN:
        return every_vector(index)
    if isinstance(index, faiss.IndexHNSW):
        parameters = faiss.SearchParametersHNSW()  # type: ignore[attr-defined]
        parameters.efSearch = index.hnsw.efSearch + hidden
        return index, parameters
    if isinstance(index, faiss.IndexIVF):
        parameters = faiss.SearchParametersIVF()
        parameters.nprobe = index.nprobe
        return index, parameters
    return index, faiss.SearchParameters()


def _hnsw(dimension: int, settings: HnswSettings) -> Any:
    index = faiss.IndexHNSWFlat(dimension, settings.links, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = settings.build_depth
    index.hnsw.efSearch = settings.search_depth
    return index


def _ivfpq(vector_ND: np.ndarray, settings: IvfpqSettings) -> Any:
    count, dimension = vector_ND.shape
    if dimension % settings.code_bytes:
        raise InputError(
            f"index.ivfpq.code_bytes: {settings.code_bytes} does not divide model.dim {dimension}; "
            f"choose a divisor of it, such as {gcd(settings.code_bytes, dimension)}"
        )
    if count < max(settings.lists, SMALLEST_CODEBOOK):
        raise InputError(
            f"index.kind: ivfpq with {settings.lists} lists needs at least "
            f"{max(settings.lists, SMALLEST_CODEBOOK)} items, not {count}; use flat"
        )
    quantizer = faiss.IndexFlatIP(dimension)
    index = faiss.IndexIVFPQ(
        quantizer, dimension, settings.lists, settings.code_bytes, 8, faiss.METRIC_INNER_PRODUCT
    )
    # Hundreds of thousands of items on few lists would only print advice.
    index.cp.min_points_per_centroid = index.pq.cp.min_points_per_centroid = 1
    index.nprobe = min(settings.probes, settings.lists)
    index.train(vector_ND)
    return index
