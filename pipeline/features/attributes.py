"""attributes.parquet: what the user's table says of the items beside picture, text and class.

A row per item: `item_id`, and a column of its own type per attribute, null where the table says
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError
from pipeline.core.table import open_parquet

KINDS = {
    "integer": pa.types.is_integer,
    "number": lambda one: pa.types.is_floating(one) or pa.types.is_decimal(one),
    "true or false": pa.types.is_boolean,
    "date": pa.types.is_date,
    "time": pa.types.is_timestamp,
    "text": lambda one: pa.types.is_string(one) or pa.types.is_large_string(one),
}
NUMBERS = ("integer", "number")
"""Kinds whose values can be compared with each other."""


def kind_of(values: pa.Array | pa.ChunkedArray) -> str | None:
    """Say which of KINDS values are; None where they are none that an attribute may have."""
    return next((kind for kind, is_it in KINDS.items() if is_it(values.type)), None)


def write_attributes(path: Path, attributes: pa.Table) -> None:
    """Write N rows: `item_id` and the attributes.

    Raises:
        InputError: The folder cannot be written to.
    """
    with atomic_path(path) as temporary:
        pq.write_table(attributes.replace_schema_metadata(None), temporary)


def read_attributes(path: Path, item_ids: Sequence[str] | pa.Array) -> pa.Table:
    """Read the attributes of N items, in their order: `item_id`, and a column per attribute.

    Raises:
        InputError: The file is missing or damaged, or lacks an item.
    """
    table = open_parquet(path, ["item_id"]).read()
    wanted = pa.array(item_ids, pa.string())
    place_N = pc.index_in(wanted, table["item_id"])
    if place_N.null_count:
        lacking = wanted.filter(pc.is_null(place_N))[0]
        raise InputError(f"{path}: item {lacking} is not in it; run huse catalog")
    return table.take(place_N)


def json_value(value: Any) -> str | float:
    """Say in JSON what JSON has no type for, as the `default` of `json.dumps`.

    Raises:
        TypeError: It is no value of an attribute.
    """
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date):  # a time is one too
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no value of an attribute")


def show_value(value: Any) -> str:
    """Write a value for people; nothing is empty."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
