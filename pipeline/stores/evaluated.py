"""What embeddings.parquet of the evaluate stage says of the items of an index.

Shape letters: N items of the index, M of these, D embedding.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.errors import InputError
from pipeline.core.table import open_parquet, read_metadata
from pipeline.core.vectors import numbers
from pipeline.features.vector_rows import VectorRows
from pipeline.index.catalog_index import CatalogIndex

PREDICTED = ["predicted_path", "score"]


class EvaluatedItems:
    """Rows of the file by rows of the index; items that were added later have none."""

    def __init__(self, path: Path, index: CatalogIndex) -> None:
        """Find the items of an index in the file.

        Raises:
            InputError: The file is missing or damaged, or another model's.
        """
        if read_metadata(path).get("model") != index.description["model"]:
            raise InputError(f"{path}: made by another model than the index; run dvc repro")
        names = ["item_id", "modality", *PREDICTED]
        table = open_parquet(path, names).read(names)
        file_row_R = np.flatnonzero(pc.equal(table["modality"], index.description["modality"]))
        table = table.select(["item_id", *PREDICTED]).take(file_row_R)
        place_N = pc.index_in(pa.array(index.items["item_id"], pa.string()), table["item_id"])
        self._place_N = numbers(pc.fill_null(place_N, -1)).copy()
        # An item that was replaced since is in the file as it was.
        self._place_N[index.vector_index.made_of :] = -1
        self._file_row_R = file_row_R
        self._predicted = table.select(PREDICTED)
        self._vectors = VectorRows(path, ["vector"])

    def known(self, row_M: np.ndarray) -> np.ndarray:
        """Say which rows of the index the file has, [M] bool."""
        return self._place_N[row_M] >= 0

    def vectors(self, row_M: np.ndarray) -> np.ndarray:
        """Read the vectors of rows that the file has, [M, D] float32."""
        return self._vectors.read(self._file_row_R[self._place_N[row_M]])

    def predicted(self, row_M: np.ndarray) -> pa.Table:
        """Give the columns PREDICTED of M rows, null where the file has none."""
        place_M = self._place_N[row_M]
        return self._predicted.take(pa.array(place_M, mask=place_M < 0))
