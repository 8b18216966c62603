"""Values of items that were changed in place, without another embedding.

A table has `item_id` and a column per name that was changed, of lists: no list where an item's
value was not changed, a list of one value where it was, which may be null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.index.changes import BASE

# pa.array would import pandas, which a search need not wait for.
NOTHING = pa.Table.from_arrays([pa.nulls(0, pa.string())], names=["item_id"])


def changed_table(values: Mapping[str, Mapping[str, Any]], kinds: Mapping[str, Any]) -> pa.Table:
    """Make a table.

    Args:
        values: By item id the new values by name.
        kinds: Arrow's type by name.
    """
    columns = {"item_id": pa.array(list(values), pa.string())}
    for name, kind in kinds.items():
        cells = [[of[name]] if name in of else None for of in values.values()]
        columns[name] = pa.array(cells, pa.list_(kind))
    return pa.table(columns)


def merge(older: pa.Table, newer: pa.Table) -> pa.Table:
    """Put two tables together; of a value that both change the newer one holds."""
    ids = pa.chunked_array([*older["item_id"].chunks, *newer["item_id"].chunks], pa.string())
    ids = ids.unique()
    columns = {"item_id": ids}
    for name in dict.fromkeys([*older.column_names, *newer.column_names]):
        if name != "item_id":
            found = [
                _of(table, name, ids) for table in (older, newer) if name in table.schema.names
            ]
            columns[name] = found[-1]
            if len(found) == 2:
                first = found[0].cast(found[1].type)
                columns[name] = pc.if_else(pc.is_valid(found[1]), found[1], first)
    return pa.table(columns)


def apply(table: pa.Table, changed: pa.Table) -> pa.Table:
    """Give items their new values.

    A name that the table lacks, or whose values are no longer of its kind, stays as it is.
    """
    if not len(changed):
        return table
    for name in changed.column_names[1:]:
        if name not in table.column_names:
            continue
        kind = table.schema.field(name).type
        with suppress(pa.ArrowException):
            found = _of(changed, name, table["item_id"]).cast(pa.list_(kind))
            value = pc.if_else(pc.is_valid(found), pc.list_element(found, 0), table[name])
            table = table.set_column(table.schema.get_field_index(name), name, value)
    return table


def with_base(changed: pa.Table, base: str) -> pa.Table | None:
    """Say which making of the index a table is of, as `Entry` wants it; None if it is empty."""
    if not len(changed):
        return None
    return changed.append_column(BASE, pa.array([base] * len(changed), pa.string()))


def only(changed: pa.Table, item_ids: Sequence[str] | pa.Array | pa.ChunkedArray) -> pa.Table:
    """Take some items of a table."""
    if not isinstance(item_ids, (pa.Array, pa.ChunkedArray)):
        item_ids = pa.array(item_ids, pa.string())
    # A table of a whole catalogue's ids takes seconds to make.
    known = item_ids.filter(pc.is_in(item_ids, changed["item_id"].combine_chunks()))
    return changed.filter(pc.is_in(changed["item_id"], known))


def _of(changed: pa.Table, name: str, item_ids: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    """A column for items in another order; null for those that are not in the table."""
    return changed[name].take(pc.index_in(item_ids, changed["item_id"].combine_chunks()))
