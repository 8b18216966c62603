"""Vectors as columns of fixed-size lists: from and to matrices, and in Parquet.

Shape letters: N rows, D dimension.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.atomic import atomic_path

ROW_GROUP = 4096


def vector_array(vector_ND: np.ndarray) -> pa.FixedSizeListArray:
    """[N, D] float16 or float32 -> N fixed-size lists, without a copy where it is contiguous."""
    flat = pa.array(np.ascontiguousarray(vector_ND).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, vector_ND.shape[1])


def vector_matrix(column: pa.ChunkedArray) -> np.ndarray:
    """N fixed-size lists -> [N, D] of their own type, read-only where no copy was needed."""
    dimension = column.type.list_size
    return numbers(as_one(column).flatten()).reshape(-1, dimension)


def as_one(column: pa.ChunkedArray) -> pa.Array:
    """Put the chunks of a column together; `combine_chunks` would copy a single one too.

    Of none it would import pandas.
    """
    if column.num_chunks == 0:
        return pa.nulls(0, column.type)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def numbers(array: pa.Array) -> np.ndarray:
    """View an array of numbers without nulls; Arrow's own `to_numpy` would import pandas."""
    return np.from_dlpack(array)


class VectorWriter:
    """Buffers rows to fixed row groups, so that the file's bytes do not depend on the batches."""

    def __init__(self, file: pq.ParquetWriter, thread: Executor) -> None:
        """Take the open file, where the row groups go, and a thread that compresses them.

        Whoever makes the next rows goes on meanwhile.
        """
        self._file = file
        self._thread = thread
        self._writing: Future[None] | None = None
        self._pending: list[pa.RecordBatch] = []
        self._num_pending = 0

    def append(self, columns: list[pa.Array]) -> None:
        """Add rows: one array per column of the schema, all of one length.

        Raises:
            OSError: Earlier rows could not be written.
        """
        batch = pa.record_batch(columns, schema=self._file.schema)
        self._pending.append(batch)
        self._num_pending += batch.num_rows
        while self._num_pending >= ROW_GROUP:
            table = pa.Table.from_batches(self._pending)
            self._write(table.slice(0, ROW_GROUP))
            self._pending = table.slice(ROW_GROUP).to_batches()
            self._num_pending -= ROW_GROUP

    def write_rest(self) -> None:
        """Write the last row group, which may be smaller, and wait until all are written.

        Raises:
            OSError: Some rows could not be written.
        """
        if self._pending:
            self._write(pa.Table.from_batches(self._pending))
            self._pending = []
        self._wait()

    def _write(self, group: pa.Table) -> None:
        # One at a time: what is not written yet takes memory.
        self._wait()
        self._writing = self._thread.submit(self._file.write_table, group, ROW_GROUP)

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.result()


@contextmanager
def vector_writer(
    path: Path, schema: pa.Schema, metadata: Mapping[str, str]
) -> Iterator[VectorWriter]:
    """Stream rows with vector columns into one Parquet file, written whole or not at all.

    The bytes of numbers that are like each other, their exponents, lie together, which compresses
    better and is written and read sooner; no two vectors share numbers that a dictionary could
    have.

    Args:
        path: Final file name.
        schema: Columns and types.
        metadata: What made the vectors; stored in the file under these keys.

    Raises:
        InputError: The folder cannot be written to, or the disk is full.
    """
    vectors = {field.name for field in schema if pa.types.is_fixed_size_list(field.type)}
    others = [
        f"{field.name}.list.element" if pa.types.is_nested(field.type) else field.name
        for field in schema
        if field.name not in vectors
    ]
    how: dict[str, Any] = {
        "compression": "zstd",
        "use_dictionary": others,
        "write_statistics": others,
        "use_byte_stream_split": [f"{name}.list.element" for name in vectors],
    }
    with (
        atomic_path(path) as temporary,
        pq.ParquetWriter(temporary, schema.with_metadata(dict(metadata)), **how) as file,
        ThreadPoolExecutor(1) as thread,
    ):
        writer = VectorWriter(file, thread)
        yield writer
        writer.write_rest()
