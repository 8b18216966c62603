"""What the changes of an index come to, for the index as it is now.

Shape letters: A added items.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.counted import counted
from pipeline.core.errors import InputError
from pipeline.index.changed_values import NOTHING, apply, merge, only
from pipeline.index.changes import BASE, OWN, PICTURES, WITHOUT, Changes


@dataclass(frozen=True)
class Standing:
    """What changes come to for an index as it is now."""

    items: pa.Table
    """A rows that a search may find, as in `Entry`, with the attributes that the index has."""
    hidden: set[str]
    """Ids that a search may not find among the items that the index was made of."""
    removed: set[str]
    """Ids that were removed, whether the index was made of them or not."""
    superseded: int
    """Added items that the catalogue has had since, which is then right."""
    entry_of: dict[str, int]
    """Number of the entry that each of the items is of."""
    changed: pa.Table = field(default_factory=lambda: NOTHING)
    """New values of items that the index was made of, see `pipeline.index.changed_values`."""

    def removals(self) -> Standing:
        """What is left of the changes where another model made them."""
        return replace(self, items=self.items.slice(0, 0), hidden=self.removed, changed=NOTHING)


def stand(changes: Changes, item_ids: pa.ChunkedArray, attributes: pa.Table, base: str) -> Standing:
    """Work out what changes come to.

    An item that was added to another making of the index counts no longer if this one was made of
    it, or of one with the same key; nor does a value of a catalogue's item that was changed then.

    Args:
        changes: All changes.
        item_ids: Of the items that the index was made of.
        attributes: Their attributes.
        base: Which making of the index this is.

    Raises:
        InputError: A file is missing or damaged.
    """
    tables: list[pa.Table] = []
    place: dict[str, int] = {}
    entry_of: dict[str, int] = {}
    removed: set[str] = set()
    changed_by: list[tuple[int, pa.Table]] = []
    start = 0
    for entry, (items, gone, changed) in enumerate(changes.entries()):
        if changed is not None:
            changed_by.append((entry, changed))
        for item_id in gone:
            place.pop(item_id, None)
        removed.update(gone)
        for number, item_id in enumerate(items["item_id"].to_pylist(), start):
            place.pop(item_id, None)  # at the end again
            place[item_id] = number
            entry_of[item_id] = entry
            removed.discard(item_id)
        start += len(items)
        tables.append(_with_columns(items, attributes.schema))
    try:
        live = pa.concat_tables(tables).take(pa.array(place.values(), pa.int64()))
    except pa.ArrowException as error:
        raise InputError(f"{changes.folder}: damaged ({error}); {WITHOUT}") from error
    for entry, values in changed_by:
        # An item that came later, perhaps in the place of this one, is as it came.
        earlier = [one for one in place if entry_of[one] < entry]
        live = apply(live, only(values, earlier).drop_columns([BASE]))
    known = _in_both(live["item_id"], item_ids)
    if changes.key in attributes.column_names:
        gone = pc.is_in(item_ids, pa.array(sorted(removed), pa.string()))
        keys = attributes[changes.key].filter(pc.invert(gone)).cast(pa.string())
        known = pc.or_(known, _in_both(live[changes.key].cast(pa.string()), keys))
    items = live.filter(pc.or_(pc.equal(live[BASE], base), pc.invert(known)))
    ids = set(items["item_id"].to_pylist())
    entry_of = {item_id: entry for item_id, entry in entry_of.items() if item_id in ids}
    changed = NOTHING
    for _, values in changed_by:
        of_base = values.filter(pc.equal(values[BASE], base)).drop_columns([BASE])
        if len(of_base):  # An empty table's columns may be of kinds that the catalogue had then.
            changed = merge(changed, only(of_base, item_ids))
    hidden = removed | ids
    left = pc.invert(pc.is_in(changed["item_id"], pa.array(sorted(hidden), pa.string())))
    superseded = len(live) - len(items)
    return Standing(items, hidden, removed, superseded, entry_of, changed.filter(left))


def _in_both(few: pa.ChunkedArray, many: pa.ChunkedArray) -> pa.ChunkedArray:
    """Which of a few texts are among many, without a table of the many."""
    both = many.filter(pc.is_in(many, few.combine_chunks()))
    return pc.and_(pc.is_in(few, both.combine_chunks()), pc.is_valid(few))


def _with_columns(items: pa.Table, schema: pa.Schema) -> pa.Table:
    """Give items the columns of a schema beside OWN.

    What they lack is null, and so is a column whose values are no longer of the catalogue's kind:
    an item is found all the same, and can be replaced.
    """
    if PICTURES not in items.column_names:
        items = items.append_column(PICTURES, pa.nulls(len(items), pa.string()))
    columns = {name: items[name] for name in OWN if name in items.column_names}
    for one in schema:
        columns[one.name] = pa.nulls(len(items), one.type)
        if one.name in items.column_names:
            with suppress(pa.ArrowException):
                columns[one.name] = items[one.name].cast(one.type)
    return pa.table(columns)


def describe(standing: Standing, item_ids: pa.ChunkedArray) -> str:
    """Say in one line in what a searched index differs from one that was just made.

    `item_ids` are those of the items that it was made of.
    """
    removed = pa.array(sorted(standing.removed), pa.string())
    still = pc.sum(pc.is_in(item_ids, removed)).as_py() or 0
    replaced = _in_both(standing.items["item_id"], item_ids)
    new = len(standing.items) - (pc.sum(replaced).as_py() or 0)
    numbers = {
        "added": new,
        "replaced": len(standing.items) - new,
        "removed": still,
        "changed in place": len(standing.changed),
    }
    parts = [f"{number} {what}" for what, number in numbers.items() if number]
    made_of = counted(len(item_ids), "item")
    said = f"{', '.join(parts) or 'nothing changed'} since it was made of {made_of}"
    if standing.superseded:
        was, are = ("was", "is") if standing.superseded == 1 else ("were", "are")
        said += f"; {standing.superseded} that {was} added before {are} of the catalogue now"
    return said
