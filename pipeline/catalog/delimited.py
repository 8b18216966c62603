"""Comma- and tab-separated tables."""

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TextIO

from pipeline.catalog.columns import find_columns
from pipeline.catalog.rows import Row, Source
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
