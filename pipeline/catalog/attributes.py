"""The columns of the user's table that are carried along, each with one type.

Shape letters: R rows of the table, N items.
"""

import json
import math
import re
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.catalog.columns import find_columns
from pipeline.catalog.read import JSON_LINES, PARQUET, open_rows, text_ending
from pipeline.catalog.rows import Source, TableForm
from pipeline.core.errors import InputError
from pipeline.features.attributes import kind_of

KEY = "catalog.columns.keep"

# Not what may be more than a number: 007 is an article's, 1e5 may be.
INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,17})")
NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)")
COMMA = re.compile(r"[+-]?[0-9][0-9.]*,[0-9]+")
"""A number of those who write 12.90 as 12,90, or a list of two."""
THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}")
"""Where the decimal point is a comma, 1.299 is more than a thousand."""
TRUTH = {"true": True, "false": False}
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class KeptColumns(NamedTuple):
    """Columns as the table has them, a value per row that could be read."""

    row_R: Sequence[int]
    """Numbers of the rows, as `read_catalog` counts them."""
    columns: dict[str, list[Any] | pa.ChunkedArray]
    """Values by name; with a type already where the table is Parquet."""
    of_text: bool
    """Whether the format knows nothing but text, so that numbers have to be recognised."""


def read_kept(path: Path, names: Sequence[str], form: TableForm | None = None) -> KeptColumns:
    """Read the named columns of a table that `read_catalog` can read; `form` is how it is written.

    Raises:
        InputError: As `read_catalog`, or a column holds what is no attribute, such as lists.
    """
    if not names:
        return KeptColumns([], {}, of_text=False)
    source = Source(column=KEY, as_text=False)
    wanted = {name: name for name in names}
    if path.suffix.lower() in PARQUET:
        file = pq.ParquetFile(path)
        find_columns(path, file.schema_arrow.names, wanted, source)
        table = file.read(list(names))
        columns = {name: _plain(name, table[name]) for name in names}
        return KeptColumns(range(1, file.metadata.num_rows + 1), columns, of_text=False)
    if path.is_dir():
        raise InputError(f"{KEY}: {path} is a folder, which has no columns; set it to []")
    rows = list(open_rows(path, wanted, source, form))
    values = zip(*(row.values for row in rows), strict=True)
    return KeptColumns(
        [row.number for row in rows],
        {name: list(column) for name, column in zip(names, values, strict=True)},
        of_text=text_ending(path) not in JSON_LINES,
    )


def make_attributes(
    kept: KeptColumns, items: pd.DataFrame, warn: Callable[[str], None]
) -> pa.Table:
    """Give the items their attributes, and every attribute a type.

    A column of text is of the first type that all its values have: integer, number, truth value,
    date as in 2024-12-31, text. JSON's numbers and truth values keep theirs, Parquet's types stay.

    Args:
        kept: What `read_kept` read. Values of rows that are no item have no say.
        items: N items with `item_id` and the `row` that each was made of.
        warn: Takes one line on a column of numbers that some values make text.

    Returns:
        N rows in the order of the items: `item_id`, and a column per attribute; empty is null.

    Raises:
        InputError: A value is of no type that an attribute may have.
    """
    columns = {"item_id": pa.array(items["item_id"].tolist(), pa.string())}
    if kept.columns:
        place_of = {row: place for place, row in enumerate(kept.row_R)}
        row_N = items["row"].tolist()
        place_N = [place_of[row] for row in row_N]
    for name, column in kept.columns.items():
        if isinstance(column, list):
            values = [column[place] for place in place_N]
            columns[name] = _typed(name, values, row_N, kept.of_text, warn)
        else:
            columns[name] = column.take(pa.array(place_N, pa.int64())).combine_chunks()
    return pa.table(columns)


def describe_attributes(attributes: pa.Table) -> str:
    """Say of every attribute what it is and how many items lack it, for one line."""
    said = []
    for name in attributes.column_names[1:]:
        column = attributes[name]
        share = column.null_count / max(1, len(column))
        percent = f"{100 * share:.1f}" if share >= 0.001 else "<0.1"
        lacking = f", {percent} % missing" if share else ""
        said.append(f"{name} ({kind_of(column)}{lacking})")
    return ", ".join(said)


def _plain(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Undo how Parquet's writers pack text; no number and nothing but blanks is null."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    texts = (pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    if any(is_it(kind) for is_it in texts):
        kind = pa.string()
    column = column.cast(kind)
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, kind))
    if pa.types.is_string(kind):  # as `_cleaned` has it
        column = pc.utf8_trim_whitespace(column)
        column = pc.if_else(pc.not_equal(column, ""), column, pa.scalar(None, kind))
    if kind_of(column) is None:
        raise InputError(f"{KEY}: {name} is of type {kind}; {_allowed()}")
    return column


def _typed(
    name: str,
    values: list[Any],
    row_N: Sequence[int],
    of_text: bool,
    warn: Callable[[str], None],
) -> pa.Array:
    values = [_cleaned(name, value, row) for value, row in zip(values, row_N, strict=True)]
    types = {type(value) for value in values if value is not None}
    if types == {bool}:
        return pa.array(values, pa.bool_())
    if types and types <= {int, float}:
        return _numbers(name, values, float if float in types else int)
    if types and types != {str}:  # as JSON writes them
        return pa.array(
            [one if one is None or isinstance(one, str) else json.dumps(one) for one in values],
            pa.string(),
        )
    given = [value for value in values if value is not None]
    if given and all(map(_is_date, given)):
        return pa.array([one and date.fromisoformat(one) for one in values], pa.date32())
    if of_text and given:
        if all(map(INTEGER.fullmatch, given)):
            return _numbers(name, [one and int(one) for one in values], int)
        numbers = [one for one in given if NUMBER.fullmatch(one)]
        doubtful = all(THOUSANDS.fullmatch(one) for one in numbers if "." in one)
        if len(numbers) == len(given) and not doubtful:
            return _numbers(name, [one and float(one) for one in values], float)
        if all(one.lower() in TRUTH for one in given):
            return pa.array([one and TRUTH[one.lower()] for one in values], pa.bool_())
        if 2 * (len(numbers) + sum(map(bool, map(COMMA.fullmatch, given)))) > len(given):
            odd = next(
                (one for one in given if not NUMBER.fullmatch(one)),
                next((one for one in given if THOUSANDS.fullmatch(one)), given[0]),
            )
            warn(
                f"{KEY}: {name} is text and no number, as row {row_N[values.index(odd)]} has "
                f"{odd!r}; write numbers with a decimal point and without separators or units"
            )
    return pa.array(values, pa.string())


def _numbers(name: str, values: list[Any], kind: type) -> pa.Array:
    try:
        if kind is int and all(one is None or abs(one) < 2**63 for one in values):
            return pa.array(values, pa.int64())
        return pa.array([None if one is None else float(one) for one in values], pa.float64())
    except OverflowError as error:
        raise InputError(f"{KEY}: {name} has a number of hundreds of digits") from error


def _cleaned(name: str, value: Any, row: int) -> Any:
    """A value without blanks around it; nothing is None."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:  # JSON can spell half a character: "\ud800"
            raise InputError(f"{KEY}: row {row}: {name} holds half a character") from error
        return value.strip() or None
    if not isinstance(value, (bool, int, float)):
        raise InputError(f"{KEY}: row {row}: {name} is {type(value).__name__}; {_allowed()}")
    return value


def _allowed() -> str:
    return "what is kept is text, a number, true or false, a date or a time"


def _is_date(text: str) -> bool:
    if not DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
