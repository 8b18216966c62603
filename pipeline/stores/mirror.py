"""Make a collection of a vector store what the catalogue is."""

from __future__ import annotations

from typing import NamedTuple

from tqdm import tqdm

from pipeline.core.errors import InputError
from pipeline.stores.rows import ItemRows
from pipeline.stores.store import Description, Store


class Mirrored(NamedTuple):
    """What was done."""

    written: int
    """Items of the catalogue, new ones and ones that were there."""
    deleted: int
    """Items that are no longer in the catalogue."""


def mirror(
    rows: ItemRows, store: Store, *, replace: bool = False, keep_others: bool = False
) -> Mirrored:
    """Write all items, and delete those that are no longer there; once more does no harm.

    A run that was killed has left a collection that another run completes.

    Args:
        rows: The items.
        store: Where they go.
        replace: Make a collection anew that another model or other columns made.
        keep_others: Delete nothing.

    Raises:
        InputError: The collection is of another model or has other columns, and is not to be
            replaced; or it is none of ours; or the store fails.
    """
    found = store.describe()
    if found is not None and replace:
        store.drop()
        found = None
    if found is None:
        store.create(rows.description, rows.schema)
    elif found != rows.description:
        raise InputError(f"{store.place}: {_difference(found, rows.description)}")
    with tqdm(total=len(rows), desc="items", unit="item", disable=None) as bar:
        for _, batch in rows.batches(store.rows_at_once):
            store.upsert(batch)
            bar.update(len(batch))
    gone: list[str] = []
    if found is not None and not keep_others:
        known = rows.item_ids()
        gone = [item_id for item_id in store.item_ids() if item_id not in known]
        store.delete(gone)
    store.finish()
    return Mirrored(len(rows), len(gone))


def _difference(found: Description, wanted: Description) -> str:
    """What of a collection cannot be mixed with the catalogue, and what to do."""
    remedy = "--replace makes it anew, --name makes another"
    if found.model != wanted.model:
        return f"holds vectors of another model, which compare with none of this one's; {remedy}"
    for name in ("modality", "dimension", "separator"):
        one, other = getattr(found, name), getattr(wanted, name)
        if one != other:
            return f"{name} there is {one}, and of the index {other}; {remedy}"
    changed = sorted(dict(found.attributes.items() ^ wanted.attributes.items()))
    return f"attribute {changed[0]} is not the same there and in the index; {remedy}"
