"""Tables that stay on disk: an Arrow file is mapped, and of it only what is looked at is read.

Parquet has to be decoded first, which of vectors takes a thousand times as long as to look at some.

Shape letters: M rows that are asked for, D dimension.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError
from pipeline.core.vectors import vector_matrix


def write_mapped(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    """Write batches, one after the other, as a file for `map_table`; whole or not at all.

    Returns:
        Number of rows.

    Raises:
        InputError: The folder cannot be written to, or the disk is full.
    """
    rows = 0
    with atomic_path(path) as temporary, pa.ipc.new_file(temporary, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def map_table(path: Path, columns: list[str]) -> pa.Table:
    """Map what `write_mapped` wrote: all of its columns, of which these have to be there.

    Raises:
        InputError: The file is missing, is not an Arrow file, or lacks a column.
    """
    try:
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found; run the stage that makes it first") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path}: not a readable Arrow file ({error}); make it again") from error
    if missing := [name for name in columns if name not in table.column_names]:
        raise InputError(
            f"{path}: no column {', '.join(missing)}; it has {', '.join(table.column_names)}"
        )
    return table


class MappedVectors:
    """A column of vectors, of which some rows are read at a time."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        """Take a column of fixed-size lists of numbers, none of them null."""
        self._parts = [vector_matrix(pa.chunked_array([chunk])) for chunk in column.chunks]
        self._start = np.cumsum([0, *map(len, self._parts)])
        self.dimension = column.type.list_size
        """D."""

    def __getitem__(self, row_M: np.ndarray) -> np.ndarray:
        """Read rows: [M, D] float32."""
        vector_MD = np.empty((len(row_M), self.dimension), np.float32)
        part_M = np.searchsorted(self._start, row_M, "right") - 1
        for part in np.unique(part_M):
            here = part_M == part
            vector_MD[here] = self._parts[part][row_M[here] - self._start[part]]
        return vector_MD
