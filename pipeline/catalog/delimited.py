"""Tables with a comma, a semicolon, a tab or a bar between the columns."""

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TextIO

from pipeline.catalog.columns import find_columns
from pipeline.catalog.rows import DELIMITERS, Row, Source
from pipeline.core.errors import InputError


def read_delimited(
    path: Path,
    open_text: Callable[[str], TextIO],
    *,
    delimiter: str,
    wanted: Mapping[str, str],
    source: Source,
) -> Iterator[Row]:
    """Yield the rows of a delimited table with a header line, but for blank lines.

    A row with more or fewer fields than the header, or with a stray quote in one line, has a
    reason; its values are taken by position as far as they go. `open_text` takes the `newline` of
    `open` and gives content without a byte-order mark, not blank throughout.

    The csv module reads it and not pandas, because pandas drops a line with too many fields
    without its number, fills one with too few, and turns the word `NA` into nothing.

    Raises:
        InputError: A wanted column is missing or there twice, or a quote is never closed.
    """
    with open_text("") as text:
        records = _records(path, text, delimiter)
        names, reason = next(record for record in records if any(record))
        if reason:
            raise InputError(f"{path}: the column names cannot be read: {reason}")
        positions = find_columns(path, names, wanted, source)
        for number, (fields, reason) in enumerate(records, start=1):
            if not fields and not reason:
                continue
            if not reason and len(fields) != len(names):
                reason = f"{len(fields)} fields where the column names are {len(names)}"
            values = [
                "" if place is None or place >= len(fields) else fields[place]
                for place in positions
            ]
            yield Row(number, values, reason)


def choose_delimiter(
    path: Path,
    open_text: Callable[[str], TextIO],
    usual: str,
    wanted: Mapping[str, str],
    source: Source,
) -> str:
    """Find out what stands between the columns of a table, by its column names.

    It is what the wanted columns are found by if that is one delimiter alone. Otherwise it is the
    usual one; if that divides nothing, what divides the line most, so that the message on missing
    columns can name those that are there.
    """
    names_of = {delimiter: _names(path, open_text, delimiter) for delimiter in DELIMITERS}
    fitting = [
        delimiter
        for delimiter, names in names_of.items()
        if _has_columns(path, names, wanted, source)
    ]
    if len(fitting) == 1:
        return fitting[0]
    if fitting or len(names_of[usual]) != 1:
        return usual
    return max([usual, *DELIMITERS], key=lambda delimiter: len(names_of[delimiter]))


def _names(path: Path, open_text: Callable[[str], TextIO], delimiter: str) -> list[str]:
    try:
        with open_text("") as text:
            records = _records(path, text, delimiter)
            return next((fields for fields, reason in records if any(fields) or reason), [])
    except InputError:  # by another delimiter a quote may be one that is never closed
        return []


def _has_columns(path: Path, names: list[str], wanted: Mapping[str, str], source: Source) -> bool:
    try:
        find_columns(path, names, wanted, source._replace(warn=None, found=None))
    except InputError:
        return False
    return True


def _records(path: Path, text: TextIO, delimiter: str) -> Iterator[tuple[list[str], str]]:
    """Yield fields and why they could not be read; the reader goes on after a bad line."""
    reader = csv.reader(text, delimiter=delimiter, strict=True, skipinitialspace=True)
    while True:
        first_line = reader.line_num + 1
        try:
            yield next(reader), ""
        except StopIteration:
            return
        except csv.Error as error:
            # A stray quote that swallowed further lines took good rows with it.
            if reader.line_num > first_line or "end of data" in str(error):
                raise InputError(
                    f"{path}: the row that starts in line {first_line} has a quote that is not "
                    f'closed ({error}); close it, and write a quote inside a quoted text as ""'
                ) from error
            yield [], f"line {first_line} has a stray quote ({error})"
