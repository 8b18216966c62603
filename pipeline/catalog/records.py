"""Tables with typed values: JSON Lines and Parquet."""

import json
import math
import reprlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.catalog.columns import find_columns
from pipeline.catalog.rows import Row, Source
from pipeline.catalog.several_pictures import LIST
from pipeline.core.errors import BadRowError, InputError

BATCH = 4096
"""Rows of a Parquet table that are in memory at a time."""


def read_json_lines(
    path: Path, open_text: Callable[[str], TextIO], *, wanted: Mapping[str, str], source: Source
) -> Iterator[Row]:
    """Yield the rows of a JSON Lines table; a key that a line lacks is an empty value.

    The table is read twice, once for its keys, so that it is never in memory as a whole. Lines
    that are not blank are numbered by line; one with a list, say, where text belongs has a reason.
    `open_text` takes the `newline` of `open` and gives content without a byte-order mark.
    """
    names: dict[str, None] = {}
    for _, record in _parsed(path, open_text):
        names.update(dict.fromkeys(record))
    find_columns(path, list(names), wanted, source)
    return (
        _make_row(number, list(wanted), [record.get(name) for name in wanted.values()], source)
        for number, record in _parsed(path, open_text)
    )


def read_parquet(path: Path, *, wanted: Mapping[str, str], source: Source) -> Iterator[Row]:
    """Yield the rows of a Parquet table; one with a list, say, where text belongs has a reason."""
    try:
        with pq.ParquetFile(path) as file:
            places = find_columns(path, file.schema_arrow.names, wanted, source)
            number = 0
            there = [
                name
                for name, place in zip(wanted.values(), places, strict=True)
                if place is not None
            ]
            for batch in file.iter_batches(BATCH, columns=list(dict.fromkeys(there))):
                nothing = [None] * len(batch)
                columns = [
                    nothing if place is None else batch[name].to_pylist()
                    for name, place in zip(wanted.values(), places, strict=True)
                ]
                for values in zip(*columns, strict=True):
                    number += 1
                    yield _make_row(number, list(wanted), values, source)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a readable Parquet file ({error})") from error


def _parsed(path: Path, open_text: Callable[[str], TextIO]) -> Iterator[tuple[int, dict[str, Any]]]:
    # Not every kind of line end, some of which JSON allows inside a string.
    with open_text("\n") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield number, _parse(path, number, line)


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


def _make_row(number: int, roles: Sequence[str], raw: Sequence[Any], source: Source) -> Row:
    if not source.as_text:
        return Row(number, list(raw), "")
    values, reasons = [], []
    for role, value in zip(roles, raw, strict=True):
        try:
            values.append(_as_text(role, value, is_list=role in source.lists))
        except BadRowError as error:
            values.append(reprlib.repr(value))
            reasons.append(str(error))
    return Row(number, values, "; ".join(reasons))


def _as_text(role: str, value: Any, *, is_list: bool = False) -> str:
    if is_list and isinstance(value, list):
        return LIST.join(_as_text(role, one) for one in value)
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
