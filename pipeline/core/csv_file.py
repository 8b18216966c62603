"""CSV files for people to read: rejected rows, failed pictures, plot data."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.core.atomic import atomic_path

if TYPE_CHECKING:
    import pandas as pd


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame as UTF-8 CSV without its index.

    Raises:
        InputError: The folder cannot be written to.
    """
    with atomic_path(path) as temporary:
        frame.to_csv(temporary, index=False, lineterminator="\n")


@contextmanager
def csv_writer(
    path: Path, columns: Sequence[str]
) -> Iterator[Callable[[Iterable[Sequence[Any]]], None]]:
    """Stream rows into one UTF-8 CSV file, written whole or not at all.

    Args:
        path: Final file name.
        columns: The header.

    Yields:
        A function that takes some rows at a time, their values in the order of the columns.

    Raises:
        InputError: The folder cannot be written to.
    """
    with (
        atomic_path(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        yield writer.writerows
