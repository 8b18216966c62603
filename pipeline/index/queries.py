"""Queries like those that a user will ask, to measure an approximate index with.

Shape letters: Q queries, D embedding.
"""

from pathlib import Path

import numpy as np

from pipeline.core.errors import InputError
from pipeline.index.embedded_items import read_modality

MOST = 500
"""Queries per modality: recall at 10 is then known to about a hundredth."""


def choose_queries(embeddings: Path) -> np.ndarray:
    """Take image and text embeddings of test items, which no tower was trained on.

    Args:
        embeddings: embeddings.parquet of the evaluate stage.

    Returns:
        [Q, D] float32, Q at least 1: up to MOST per modality, evenly spread; of other items where
        there is no test item.

    Raises:
        InputError: The file is missing or damaged.
    """
    chosen = []
    for modality in ("image", "text"):
        try:
            frame, vector_ND = read_modality(embeddings, modality)
        except InputError:
            continue  # only the other modality could be evaluated
        rows = np.flatnonzero(frame["split"] == "test")
        rows = rows if len(rows) else np.arange(len(frame))
        chosen.append(vector_ND[rows[:: max(1, -(-len(rows) // MOST))]])
    if not chosen:
        read_modality(embeddings, "text")  # says what the file has instead
    return np.concatenate(chosen)
