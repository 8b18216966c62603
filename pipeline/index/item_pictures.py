"""The pictures of items that have several, embedded one by one: which of them is it that matches?

Shape letters: P pictures, Q queries, C candidates, K found, D embedding.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.core.mapped_table import MappedVectors, map_table
from pipeline.core.once import once
from pipeline.core.vectors import as_one, numbers
from pipeline.index.hit import Hit

FILE = "pictures.arrow"
"""In the index's folder."""
COLUMNS = ["row", "image", "vector"]
SEARCHED = "searched"
"""Column of an index whose items are found by their best picture."""


class ItemPictures:
    """Pictures of some of the items of an index."""

    def __init__(self, table: pa.Table) -> None:
        """Take a table with COLUMNS: row of the item in the index, path, [D] float32 of unit norm.

        Rows ascend, and the pictures of an item are in their order. With SEARCHED, [D] float32 of
        unit norm, items are found by their best picture: of the picture or, in an index of fused
        embeddings, of picture and text.
        """
        self._table = table
        self.are_searched = SEARCHED in table.column_names and len(table) > 0

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
        place = int(start + np.argmax(self._vector_PD[np.arange(start, stop)] @ query_D))
        return hit._replace(image=self._table["image"][place].as_py(), picture=items + place)

    def best(self, row_C: np.ndarray, similarity_C: np.ndarray, query_D: np.ndarray) -> np.ndarray:
        """Give candidates that have several pictures the similarity of their best one.

        Args:
            row_C: [C] places of items.
            similarity_C: [C] of their pooled vectors.
            query_D: [D] of unit norm.

        Returns:
            [C] similarities; the others' as they are.
        """
        start_C, stop_C = (np.searchsorted(self._row_P, row_C, side) for side in ("left", "right"))
        number_C = stop_C - start_C
        several = np.flatnonzero(number_C)
        if not len(several):
            return similarity_C
        first = np.concatenate([[0], np.cumsum(number_C[several])[:-1]])
        place = np.concatenate([np.arange(start_C[c], stop_C[c]) for c in several])
        found_C = similarity_C.copy()
        found_C[several] = np.maximum.reduceat(self._searched_PD[place] @ query_D, first)
        return found_C

    def best_first(
        self, similarity_QC: np.ndarray, row_QC: np.ndarray, query_QD: np.ndarray, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Put the candidates of queries in the order of `best`: both [Q, K], at most `k`."""
        for q, query_D in enumerate(query_QD):
            similarity_QC[q] = self.best(row_QC[q], similarity_QC[q], query_D)
        # What is not there, -1, has no similarity and comes last.
        order_QK = np.argsort(-similarity_QC, axis=1, kind="stable")[:, :k]
        return (
            np.take_along_axis(similarity_QC, order_QK, axis=1),
            np.take_along_axis(row_QC, order_QK, axis=1),
        )

    @once
    def _row_P(self) -> np.ndarray:
        return numbers(as_one(self._table["row"]))

    @once
    def _vector_PD(self) -> MappedVectors:
        return MappedVectors(self._table["vector"])

    @once
    def _searched_PD(self) -> MappedVectors:
        return MappedVectors(self._table[SEARCHED])

    @classmethod
    def load(cls, folder: Path) -> ItemPictures:
        """Map the file that `embed_pictures` wrote into the folder of an index.

        Raises:
            InputError: It is missing or damaged.
        """
        return cls(map_table(folder / FILE, COLUMNS))
