"""Read the user's catalogue, whatever its format, as strings."""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from pipeline.catalog.delimited import read_delimited
from pipeline.catalog.records import read_json_lines, read_parquet
from pipeline.catalog.rows import Row
from pipeline.errors import InputError

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
PARQUET = (".parquet", ".pq")


def read_catalog(
    path: Path,
    *,
    image: str,
    text: str,
    classes: str,
    group: str | None = None,
    split: str | None = None,
) -> pd.DataFrame:
    """Read a CSV, TSV, JSON Lines or Parquet table; the text formats also gzipped.

    Args:
        path: The table; its name's ending tells the format.
        image: Name of the column of picture paths.
        text: Name of the column of texts.
        classes: Name of the column of class paths.
        group: Name of the column of groups, or None.
        split: Name of the column of ready-made splits, or None.

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
    given = {"image": image, "text": text, "classes": classes, "group": group, "split": split}
    wanted = {role: name for role, name in given.items() if name is not None}
    rows = list(_read_rows(path, wanted))
    if not rows:
        raise InputError(f"catalog.path: {path} has column names but no rows")
    columns = zip(*(row.values for row in rows), strict=True)
    frame = pd.DataFrame(
        {role: list(values) for role, values in zip(wanted, columns, strict=True)}, dtype="str"
    )
    frame.insert(0, "row", [row.number for row in rows])
    frame["reason"] = pd.array([row.reason for row in rows], dtype="str")
    return frame


def _read_rows(path: Path, wanted: Mapping[str, str]) -> Iterator[Row]:
    if not path.is_file():
        found = "is a folder, not a file" if path.is_dir() else "not found"
        raise InputError(f"catalog.path: {path} {found}")
    ending = Path(path.name.lower().removesuffix(".gz")).suffix
    if ending in DELIMITERS:
        return read_delimited(path, _read_text(path), delimiter=DELIMITERS[ending], wanted=wanted)
    if ending in JSON_LINES:
        return read_json_lines(path, _read_text(path), wanted=wanted)
    if path.suffix.lower() in PARQUET:
        return read_parquet(path, wanted=wanted)
    known = ", ".join([*DELIMITERS, *JSON_LINES, *PARQUET])
    raise InputError(f"catalog.path: {path} has none of the known endings: {known}")


def _read_text(path: Path) -> str:
    try:
        content = path.read_bytes()
        if path.suffix.lower() == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"catalog.path: {path} cannot be read ({error})") from error
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"catalog.path: {path} is not UTF-8: byte 0x{content[error.start]:02x} in line {line} "
            f"(offset {error.start}); save it as UTF-8"
        ) from error
    if not text.strip():
        raise InputError(f"catalog.path: {path} is empty")
    return text
