"""CSV files for people: rejected rows, failed pictures, findings, plot data."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame as UTF-8 CSV without its index.

    Raises:
        InputError: The folder cannot be written to.
    """
    with atomic_path(path) as temporary:
        frame.to_csv(temporary, index=False, lineterminator="\n")


def read_csv(path: Path, columns: Collection[str], command: str) -> pd.DataFrame:
    """Read a CSV file that a stage wrote, every value as a string, empty ones too.

    Args:
        path: The file.
        columns: What it has to have.
        command: What writes it, for messages.

    Raises:
        InputError: It is missing, damaged, or lacks a column.
    """
    import pandas as pd

    try:
        table = pd.read_csv(path, dtype="str", keep_default_na=False)
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found; run {command} first") from error
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: not a readable CSV file ({error}); run {command} again"
        ) from error
    missing = [name for name in columns if name not in table]
    if missing:
        raise InputError(f"{path}: no column {', '.join(missing)}; run {command} again")
    return table


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
