"""Parquet files with vector columns, written in batches.

Shape letters: N rows, D dimension.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InputError
from pipeline.files.atomic import atomic_path
from pipeline.files.table import open_parquet
from pipeline.files.vector_column import vector_matrix

ROW_GROUP = 4096


class VectorWriter:
    """Streams rows with vector columns into one Parquet file, written whole or not at all.

    Use as a context manager. Rows are buffered to fixed row groups, so the file's bytes do not
    depend on the sizes of the batches that were appended.
    """

    def __init__(self, path: Path, schema: pa.Schema, metadata: Mapping[str, str]) -> None:
        """Prepare the writer; nothing is created before the block is entered.

        Args:
            path: Final file name.
            schema: Columns and types.
            metadata: What made the vectors; stored in the file under these keys.
        """
        self._schema = schema.with_metadata(dict(metadata))
        self._atomic = atomic_path(path)
        self._pending: list[pa.RecordBatch] = []
        self._num_pending = 0

    def __enter__(self) -> VectorWriter:
        # The stack leaves in reverse: last rows, end of the file, rename. An error in one of them,
        # such as a full disk, reaches the next, so that the temporary file is always removed.
        with ExitStack() as stack:
            temporary = stack.enter_context(self._atomic)
            self._writer = stack.enter_context(pq.ParquetWriter(temporary, self._schema))
            stack.push(self._write_rest)
            self._stack = stack.pop_all()
        return self

    def append(self, columns: list[pa.Array]) -> None:
        """Add rows.

        Args:
            columns: One array per column of the schema, all of one length.
        """
        batch = pa.record_batch(columns, schema=self._schema)
        self._pending.append(batch)
        self._num_pending += batch.num_rows
        while self._num_pending >= ROW_GROUP:
            table = pa.Table.from_batches(self._pending)
            self._writer.write_table(table.slice(0, ROW_GROUP), row_group_size=ROW_GROUP)
            self._pending = table.slice(ROW_GROUP).to_batches()
            self._num_pending -= ROW_GROUP

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, traceback)

    def _write_rest(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None and self._pending:
            self._writer.write_table(pa.Table.from_batches(self._pending))


def read_vectors(path: Path, column: str) -> tuple[list[str], np.ndarray]:
    """Read one vector column with its item ids.

    Args:
        path: A Parquet file with `item_id` and the vector column.
        column: Name of the vector column.

    Returns:
        Item ids and the [N, D] matrix in the same order.

    Raises:
        InputError: The file is missing, is not Parquet, or the column holds no vectors.
    """
    file = open_parquet(path, ["item_id", column])
    if not pa.types.is_fixed_size_list(file.schema_arrow.field(column).type):
        raise InputError(f"{path}: column {column} holds no fixed-size vectors; make it again")
    table = file.read(["item_id", column])
    return table["item_id"].to_pylist(), vector_matrix(table[column])
