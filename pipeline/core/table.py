"""Plain Parquet tables between stages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def write_table(path: Path, frame: pd.DataFrame, metadata: Mapping[str, str] | None = None) -> None:
    """Write a frame as Parquet without its index; the same frame gives the same bytes.

    `metadata` says what made the rows and is stored in the file under its keys.

    Raises:
        InputError: The folder cannot be written to.
    """
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(metadata)
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary)


def read_table(path: Path, columns: list[str]) -> pd.DataFrame:
    """Read the named columns of a Parquet table.

    Raises:
        InputError: The file is missing, is not Parquet, or lacks a column.
    """
    return open_parquet(path, columns).read(columns).to_pandas()[columns]


def read_metadata(path: Path) -> dict[str, str]:
    """Read what a Parquet file says of how it was made, without its libraries' own keys.

    Raises:
        InputError: The file is missing or is not Parquet.
    """
    metadata = open_parquet(path, []).schema_arrow.metadata or {}
    return {
        key.decode(): value.decode()
        for key, value in metadata.items()
        if not key.startswith((b"ARROW:", b"pandas"))
    }


def open_parquet(path: Path, columns: list[str]) -> pq.ParquetFile:
    """Open a Parquet file and check that it has the named columns.

    Raises:
        InputError: The file is missing, is not Parquet, or lacks a column.
    """
    try:
        file = pq.ParquetFile(path)
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found; run the stage that makes it first") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path}: not a readable Parquet file ({error}); make it again") from error
    missing = [name for name in columns if name not in file.schema_arrow.names]
    if missing:
        raise InputError(
            f"{path}: no column {', '.join(missing)}; it has {', '.join(file.schema_arrow.names)}"
        )
    return file
