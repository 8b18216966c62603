"""CSV files for people: rejected rows, failed pictures, findings, plot data."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

LONGEST = 2**31 - 1
"""Characters of a field. The module's limit of 131,072 is less than what is written."""


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame as UTF-8 CSV without its index.

    Raises:
        InputError: The folder cannot be written to.
    """
    with atomic_path(path) as temporary, _open(temporary) as file:
        frame.to_csv(_Lines(file), index=False, lineterminator="\r\n")


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
        path: In UTF-8. Rows may end early; blank lines are left out, and so are columns without
            any text whose name is there already, as spreadsheets leave them.
        columns: What it has to have.

    Returns:
        Names of all its columns, and its rows by these.

    Raises:
        InputError: The file is missing or cannot be read, a column is missing or there twice, or
            a row has more fields than there are columns.
    """
    usual = csv.field_size_limit(LONGEST)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            names, *records = [record for record in csv.reader(file) if record] or [[]]
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found") from error
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a readable CSV file ({error})") from error
    finally:
        csv.field_size_limit(usual)
    missing = [name for name in columns if name not in names]
    if missing:
        raise InputError(f"{path}: no column {', '.join(missing)}; it has {', '.join(names)}")
    for number, record in enumerate(records, start=1):
        if len(record) > len(names):
            raise InputError(
                f"{path}: row {number} has {len(record)} fields where the column names are "
                f"{len(names)}; put a text with a comma between quotes"
            )
    places = {name: place for place, name in reversed(list(enumerate(names)))}
    for place, name in enumerate(names):
        if place != places[name] and any("".join(record[place : place + 1]) for record in records):
            raise InputError(f"{path}: two columns are called {name!r}; rename one of them")
    rows = [
        {name: "".join(record[place : place + 1]) for name, place in places.items()}
        for record in records
    ]
    return list(dict.fromkeys(names)), rows


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
    with atomic_path(path) as temporary, _open(temporary) as file:
        writer = csv.writer(_Lines(file), lineterminator="\r\n")
        writer.writerow(columns)
        yield writer.writerows


class _Lines(io.TextIOBase):
    """Ends rows with a line feed.

    A field is quoted for the characters that end rows: of a line feed alone, a carriage return in a
    text would not be, and its row would be read as two.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, row: str) -> int:
        return self._file.write(row.removesuffix("\r\n") + "\n")


def _open(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="")
