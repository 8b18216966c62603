"""Tables with typed values: JSON Lines and Parquet."""

import json
import math
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.catalog.columns import find_columns
from pipeline.catalog.rows import BadRowError, Row
from pipeline.errors import InputError


def read_json_lines(path: Path, text: str, *, wanted: Mapping[str, str]) -> Iterator[Row]:
    """Yield the rows of a JSON Lines table; a key that a line lacks is an empty value.

    Args:
        path: The table, for messages.
        text: Its decoded content without a byte-order mark.
        wanted: Key below `catalog.columns` to column name.

    Yields:
        Every line that is not blank, numbered by line; one with a list, say, where text belongs
        has a reason.

    Raises:
        InputError: A line is not a JSON object, or no line has a wanted column.
    """
    names: dict[str, None] = {}
    records: list[tuple[int, list[Any]]] = []
    # Not splitlines(), which also cuts at separators that JSON allows inside a string.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        record = _parse(path, number, line)
        names.update(dict.fromkeys(record))
        records.append((number, [record.get(name) for name in wanted.values()]))
    find_columns(path, list(names), wanted)
    return (_make_row(number, list(wanted), values) for number, values in records)


def read_parquet(path: Path, *, wanted: Mapping[str, str]) -> Iterator[Row]:
    """Yield the rows of a Parquet table.

    Args:
        path: The table.
        wanted: Key below `catalog.columns` to column name.

    Yields:
        Every row; one with a list, say, where text belongs has a reason.

    Raises:
        InputError: The file is not readable Parquet, or a wanted column is missing or there twice.
    """
    try:
        file = pq.ParquetFile(path)
        find_columns(path, file.schema_arrow.names, wanted)
        table = file.read(list(dict.fromkeys(wanted.values())))
        columns = [table[name].to_pylist() for name in wanted.values()]
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a readable Parquet file ({error})") from error
    return (
        _make_row(number, list(wanted), values)
        for number, values in enumerate(zip(*columns, strict=True), start=1)
    )


def _parse(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    # Not only JSONDecodeError: a number of thousands of digits is a plain ValueError.
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: line {number} is not JSON ({error})") from error
    if not isinstance(record, dict):
        raise InputError(
            f"{path}: line {number} is not a JSON object but {type(record).__name__}; "
            'write one {"column": "value", ...} per line'
        )
    return record


def _make_row(number: int, roles: Sequence[str], raw: Sequence[Any]) -> Row:
    values, reasons = [], []
    for role, value in zip(roles, raw, strict=True):
        try:
            values.append(_as_text(role, value))
        except BadRowError as error:
            values.append(reprlib.repr(value))
            reasons.append(str(error))
    return Row(number, values, "; ".join(reasons))


def _as_text(role: str, value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:  # JSON can spell half a character: "\ud800"
            raise BadRowError(f"{role} holds half a character") from error
        return value
    # Whole numbers stored as floats are ids whose column has gaps: 1163.0 was 1163.
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise BadRowError(f"wrong type: {role} is {type(value).__name__}, not text")
