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


def read_records(path: Path, columns: Collection[str]) -> tuple[list[str], list[dict[str, str]]]:
    """Read a CSV file that people write in.

    Args:
        path: In UTF-8. Rows may end early; blank lines are left out.
        columns: What it has to have.

    Returns:
        Names of all its columns, and its rows by these.

    Raises:
        InputError: The file is missing or cannot be read, a column is missing, or a row has more
            fields than there are columns.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            names, *records = [record for record in csv.reader(file) if record] or [[]]
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found") from error
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a readable CSV file ({error})") from error
    missing = [name for name in columns if name not in names]
    if missing:
        raise InputError(f"{path}: no column {', '.join(missing)}; it has {', '.join(names)}")
    for number, record in enumerate(records, start=1):
        if len(record) > len(names):
            raise InputError(
                f"{path}: row {number} has {len(record)} fields where the column names are "
                f"{len(names)}; put a text with a comma between quotes"
            )
    empty = dict.fromkeys(names, "")
    return names, [empty | dict(zip(names, record, strict=False)) for record in records]


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
