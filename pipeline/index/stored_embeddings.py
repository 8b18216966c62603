"""What the index takes from embeddings.parquet: a modality's rows, and queries like a user's.

Shape letters: N items, Q queries, D embedding.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.errors import InputError
from pipeline.core.table import open_parquet
from pipeline.features.vector_rows import VectorRows

PLAIN = ["item_id", "split", "class_path", "x", "y"]
MOST_QUERIES = 500
"""Per modality: recall at 10 is then known to about a hundredth."""


def read_modality(path: Path, modality: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Read the embeddings of one modality.

    Returns:
        N rows with the columns PLAIN, and the [N, D] float32 vectors.

    Raises:
        InputError: The file is missing or damaged, or has no such embeddings.
    """
    row_N, table = _rows(path, modality, PLAIN)
    return table.to_pandas(), VectorRows(path, ["vector"]).read(row_N)


class EmbeddedItems:
    """Embeddings of items in one modality, by their ids."""

    def __init__(self, path: Path, modality: str) -> None:
        """Read which rows they are.

        Raises:
            InputError: The file is missing or damaged.
        """
        file = open_parquet(path, ["item_id", "modality", "vector"])
        table = file.read(["item_id", "modality"])
        row_N = np.flatnonzero(pc.equal(table["modality"], modality))
        known = table["item_id"].take(row_N).to_pylist()
        self._row_of = dict(zip(known, row_N.tolist(), strict=True))
        self._vectors = VectorRows(path, ["vector"])
        self._dimension = file.schema_arrow.field("vector").type.list_size

    def read(self, item_ids: Sequence[str]) -> np.ndarray:
        """Read the embeddings of M items: [M, D] float32, NaN where one has none."""
        row_M = np.array([self._row_of.get(one, -1) for one in item_ids], dtype=np.int64)
        vector_MD = np.full((len(row_M), self._dimension), np.nan, np.float32)
        vector_MD[row_M >= 0] = self._vectors.read(row_M[row_M >= 0])
        return vector_MD


def choose_queries(embeddings: Path) -> np.ndarray:
    """Take image and text embeddings of test items, which no tower was trained on.

    Returns:
        [Q, D] float32, Q at least 1: up to MOST_QUERIES per modality, evenly spread; of other
        items where there is no test item.

    Raises:
        InputError: The file is missing or damaged.
    """
    chosen = []
    for modality in ("image", "text"):
        try:
            row_N, table = _rows(embeddings, modality, ["split"])
        except InputError:
            continue  # only the other modality could be evaluated
        test_N = np.flatnonzero(pc.equal(table["split"], "test"))
        rows = row_N[test_N] if len(test_N) else row_N
        chosen.append(rows[:: max(1, -(-len(rows) // MOST_QUERIES))])
    if not chosen:
        _rows(embeddings, "text", [])  # says what the file has instead
    return VectorRows(embeddings, ["vector"]).read(np.concatenate(chosen))


def _rows(path: Path, modality: str, columns: list[str]) -> tuple[np.ndarray, pa.Table]:
    """Numbers of a modality's rows in the file, [N] int64, and some of their columns."""
    file = open_parquet(path, ["modality", "vector", *columns])
    table = file.read(["modality", *columns])
    # Without the vectors: those of the other modalities are not read at all.
    row_N = np.flatnonzero(pc.equal(table["modality"], modality))
    if not len(row_N):
        there = ", ".join(sorted(table["modality"].unique().to_pylist()))
        raise InputError(
            f"{path}: no embeddings of modality {modality}; it has {there or 'none'}; see "
            "index.modality and the report's warnings"
        )
    return row_N, table.select(columns).take(row_N)
