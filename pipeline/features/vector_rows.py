"""Chosen rows of a Parquet file's vector columns, read row group by row group.

Shape letters: R rows asked for, G row groups, F feature (all columns side by side).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.core.errors import InputError
from pipeline.core.table import open_parquet
from pipeline.core.vectors import vector_matrix


class VectorRows:
    """Random access to the vectors of a feature table; one row group is in memory at a time."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        """Open the table.

        Args:
            path: A Parquet file.
            columns: Its vector columns, in the order in which they stand side by side.

        Raises:
            InputError: The file is missing, is not Parquet, or a column holds no vectors.
        """
        self._file = open_parquet(path, list(columns))
        self._columns = list(columns)
        types = [self._file.schema_arrow.field(column).type for column in columns]
        for column, kind in zip(columns, types, strict=True):
            if not pa.types.is_fixed_size_list(kind):
                raise InputError(
                    f"{path}: column {column} holds no fixed-size vectors; make it again"
                )
        self.dimension = sum(kind.list_size for kind in types)
        """F."""
        metadata = self._file.metadata
        sizes_G = [metadata.row_group(g).num_rows for g in range(metadata.num_row_groups)]
        self._end_G = np.cumsum(np.array(sizes_G, dtype=np.int64))

    def row_group(self, row_R: np.ndarray) -> np.ndarray:
        """Find the row groups, [R] int64 in [0, G), of [R] int64 row numbers."""
        return np.searchsorted(self._end_G, row_R, side="right")

    def first_row(self, group: int) -> int:
        """Number of a row group's first row."""
        return int(self._end_G[group - 1]) if group else 0

    def read(self, row_R: np.ndarray) -> np.ndarray:
        """Read vectors.

        Args:
            row_R: [R] int64 row numbers in any order; -1 gives a row of zeros.

        Returns:
            [R, F] float32 in the order asked for.
        """
        vector_RF = np.zeros((len(row_R), self.dimension), dtype=np.float32)
        has_R = np.flatnonzero(row_R >= 0)
        group_R = self.row_group(row_R[has_R])
        for group in np.unique(group_R):
            place = has_R[group_R == group]
            table = self._file.read_row_group(int(group), columns=self._columns)
            local = row_R[place] - self.first_row(int(group))
            at = 0
            for column in self._columns:
                matrix = vector_matrix(table[column])
                vector_RF[place, at : at + matrix.shape[1]] = matrix[local]
                at += matrix.shape[1]
        return vector_RF
