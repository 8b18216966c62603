"""The pictures of items that have several, embedded one by one: which of them is it that matches?

Shape letters: P pictures, D embedding.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.atomic import atomic_path
from pipeline.core.once import once
from pipeline.core.table import open_parquet
from pipeline.core.vectors import numbers, vector_matrix
from pipeline.index.hit import Hit

COLUMNS = ["row", "image", "vector"]


class ItemPictures:
    """Pictures of some of the items of an index."""

    def __init__(self, table: pa.Table) -> None:
        """Take a table with COLUMNS: row of the item in the index, path, [D] float32 of unit norm.

        Rows ascend, and the pictures of an item are in their order.
        """
        self._table = table

    @property
    def images(self) -> list[str]:
        """[P] paths."""
        return self._table["image"].to_pylist()

    @property
    def rows(self) -> list[int]:
        """[P] rows of their items in the index."""
        return self._table["row"].to_pylist()

    def show(self, hit: Hit, query_D: np.ndarray, items: int) -> Hit:
        """Give a hit, of several pictures of its item, the one that is nearest to the query.

        Args:
            hit: With the first picture.
            query_D: [D] of unit norm.
            items: Items of the index, in whose list of pictures these come last.
        """
        start, stop = np.searchsorted(self._row_P, [hit.row, hit.row + 1])
        if start == stop:
            return hit
        place = int(start + np.argmax(self._vector_PD[start:stop] @ query_D))
        return hit._replace(image=self._table["image"][place].as_py(), picture=items + place)

    @once
    def _row_P(self) -> np.ndarray:
        return numbers(self._table["row"].combine_chunks())

    @once
    def _vector_PD(self) -> np.ndarray:
        return vector_matrix(self._table["vector"])

    def save(self, path: Path) -> None:
        """Write them as Parquet."""
        with atomic_path(path) as temporary:
            pq.write_table(self._table, temporary)

    @classmethod
    def load(cls, path: Path) -> ItemPictures:
        """Read what `save` wrote.

        Raises:
            InputError: The file is missing or damaged.
        """
        return cls(open_parquet(path, COLUMNS).read(COLUMNS))
