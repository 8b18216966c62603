"""Read the user's catalogue, whatever its format, as strings."""

import codecs
import gzip
import zlib
from collections.abc import Iterator, Mapping
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO, cast

import pandas as pd

from pipeline.catalog.delimited import read_delimited
from pipeline.catalog.records import read_json_lines, read_parquet
from pipeline.catalog.rows import Row, Source
from pipeline.catalog.settings import ColumnSettings
from pipeline.core.errors import InputError

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
PARQUET = (".parquet", ".pq")
CHUNK = 2**20
"""Bytes in memory while a text is checked."""


def read_catalog(path: Path, columns: ColumnSettings) -> pd.DataFrame:
    """Read a CSV, TSV, JSON Lines or Parquet table; the text formats also gzipped.

    Returns:
        One row per row of the table, in its order, with the columns:
        `row` (int), counted as a user does: 1 is the first row after the column names, a record
        over several lines is one row, and blank lines count but are not returned;
        `image`, `text`, `classes` and, where asked for, `group` and `split`: strings as written,
        empty where missing; and `reason`: why the row could not be read, or empty.

    Raises:
        InputError: The file is missing, empty, of another format, not UTF-8 or damaged, or a
            column is missing or there twice.
    """
    wanted = columns.roles()
    rows = list(open_rows(path, wanted))
    if not rows:
        raise InputError(f"catalog.path: {path} has column names but no rows")
    values_of = zip(*(row.values for row in rows), strict=True)
    frame = pd.DataFrame(
        {role: list(values) for role, values in zip(wanted, values_of, strict=True)}, dtype="str"
    )
    frame.insert(0, "row", [row.number for row in rows])
    frame["reason"] = pd.array([row.reason for row in rows], dtype="str")
    return frame


def open_rows(path: Path, wanted: Mapping[str, str], source: Source | None = None) -> Iterator[Row]:
    """Read a table row by row; memory does not grow with it.

    `wanted` says what a column is for, and its name; `source` what the user calls table and
    columns, if not by the keys of params.yaml, and which may be missing.

    Raises:
        InputError: As `read_catalog`; what is wrong with one row may turn up on the way.
    """
    source = source or Source()
    if not path.is_file():
        found = "is a folder, not a file" if path.is_dir() else "not found"
        raise InputError(f"{source.path}: {path} {found}")
    ending = Path(path.name.lower().removesuffix(".gz")).suffix
    if ending in DELIMITERS or ending in JSON_LINES:
        _check_text(path, source)
        text = partial(_open_text, path)
        if ending in JSON_LINES:
            return read_json_lines(path, text, wanted=wanted, source=source)
        delimiter = DELIMITERS[ending]
        return read_delimited(path, text, delimiter=delimiter, wanted=wanted, source=source)
    if path.suffix.lower() in PARQUET:
        return read_parquet(path, wanted=wanted, source=source)
    known = ", ".join([*DELIMITERS, *JSON_LINES, *PARQUET])
    raise InputError(f"{source.path}: {path} has none of the known endings: {known}")


def _open_bytes(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb"))


def _open_text(path: Path, newline: str) -> TextIO:
    return TextIOWrapper(_open_bytes(path), encoding="utf-8-sig", newline=newline)


def _check_text(path: Path, source: Source) -> None:
    """Read a text once to its end, so that no row is worked on if it is damaged."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset, lines, blank = 0, 1, True
    content = b""
    try:
        with _open_bytes(path) as file:
            while True:
                content = file.read(CHUNK)
                waiting = len(decoder.getstate()[0])
                text = decoder.decode(content, final=not content).removeprefix("\ufeff")
                blank = blank and not text.strip()
                if not content:
                    break
                offset, lines = offset + len(content), lines + content.count(b"\n")
    except UnicodeDecodeError as error:
        # The decoder sees the bytes of a character that the last chunk cut, then this chunk.
        start = error.start - waiting
        byte, line = error.object[error.start], lines + content.count(b"\n", 0, max(start, 0))
        raise InputError(
            f"{source.path}: {path} is not UTF-8: byte 0x{byte:02x} in line {line} "
            f"(offset {offset + start}); save it as UTF-8"
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{source.path}: {path} cannot be read ({error})") from error
    if blank:
        raise InputError(f"{source.path}: {path} is empty")
