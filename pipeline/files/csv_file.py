"""CSV files for people to read: rejected rows, failed pictures, plot data."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import pandas as pd

from pipeline.files.atomic import atomic_path


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame as UTF-8 CSV without its index.

    Args:
        path: Final file name.
        frame: The rows; an empty frame gives the header alone.

    Raises:
        InputError: The folder cannot be written to.
    """
    with atomic_path(path) as temporary:
        frame.to_csv(temporary, index=False, lineterminator="\n")


class CsvWriter:
    """Streams rows into one UTF-8 CSV file, written whole or not at all; a context manager."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        """Prepare the writer; nothing is created before the block is entered.

        Args:
            path: Final file name.
            columns: The header.
        """
        self._path = path
        self._columns = columns

    def __enter__(self) -> CsvWriter:
        with ExitStack() as stack:
            temporary = stack.enter_context(atomic_path(self._path))
            file = stack.enter_context(temporary.open("w", encoding="utf-8", newline=""))
            self._writer = csv.writer(file, lineterminator="\n")
            self._writer.writerow(self._columns)
            self._stack = stack.pop_all()
        return self

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows.

        Args:
            rows: Values in the order of the columns.
        """
        self._writer.writerows(rows)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, traceback)
