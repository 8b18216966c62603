"""Add items to the index, replace some and remove some, without a stage that runs again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.block import Block
from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json
from pipeline.core.location import Location
from pipeline.index.changes import (
    BASE,
    MOST_ENTRIES,
    VECTOR,
    Changes,
    Entry,
    Standing,
    read_changes,
    replace_entries,
    stand,
    write_entry,
)
from pipeline.index.stored_index import base_of, read_description, read_known
from pipeline.use.api import Huse
from pipeline.use.index_items import IndexItems, IndexKind, frozen_features, stored_block
from pipeline.use.new_items import BATCH, BadRow

ATTRIBUTE_KEY = "--key"


class State(NamedTuple):
    """An index as it is before a command changes it, without its vectors."""

    folder: Path
    model: str
    kind: IndexKind
    item_ids: pa.ChunkedArray
    """Of the items that it was made of."""
    attributes: pa.Table
    """Of these."""
    changes: Changes | None
    standing: Standing
    key: str | None
    """The attribute that names an item for its owner."""

    def ids_of(self, keys: Sequence[str | None]) -> dict[str, str]:
        """Find ids of items that a search may find, by their keys as texts."""
        found: dict[str, str] = {}
        wanted = pa.array([key for key in keys if key is not None], pa.string())
        if self.key is None or not len(wanted):
            return found
        for ids, column in (
            (self.item_ids, self.attributes[self.key]),
            (self.standing.items["item_id"], self.standing.items[self.key]),
        ):
            texts = column.cast(pa.string())
            is_wanted = pc.is_in(texts, wanted)
            pairs = zip(
                texts.filter(is_wanted).to_pylist(), ids.filter(is_wanted).to_pylist(), strict=True
            )
            found |= {
                key: item_id
                for key, item_id in pairs
                if ids is not self.item_ids or item_id not in self.standing.hidden
            }
        return found

    def those_of(self, item_ids: Sequence[str]) -> set[str]:
        """Choose the ids of items that a search may find."""
        wanted = pa.array(item_ids, pa.string())
        made_of = self.item_ids.filter(pc.is_in(self.item_ids, wanted)).to_pylist()
        added = self.standing.items["item_id"].to_pylist()
        return (set(made_of) - self.standing.hidden) | (set(item_ids) & set(added))


def read_state(folder: Path, model: Path, key: str | None, *, other_model: bool = False) -> State:
    """Read what a command needs to know; hold `changing` from here to its end.

    Args:
        folder: Folder of the index.
        model: Folder of the model.
        key: Attribute that names an item for its owner.
        other_model: Whether changes of another model are no mistake.

    Raises:
        InputError: There is no index of this model or no such attribute; or the changes are those
            of another model.
    """
    description = read_description(folder, model)
    item_ids, attributes = read_known(folder)
    if key is not None and key not in attributes.column_names[1:]:
        names = ", ".join(attributes.column_names[1:]) or "none"
        raise InputError(
            f"{ATTRIBUTE_KEY}: the index has no attribute {key!r}; it has {names}, see "
            "catalog.columns.keep"
        )
    dimension = read_json(model / "model.json")["config"]["dim"]
    kind = IndexKind(description, base_of(folder), attributes.schema, dimension)
    changes = read_changes(folder)
    standing = Standing(IndexItems().table(kind), set(), set(), 0)
    if changes is not None and changes.names:
        if changes.model != description["model"] and not other_model:
            raise InputError(
                f"{changes.folder}: earlier changes are another model's; run huse index refresh"
            )
        standing = stand(changes, item_ids, attributes, kind.base)
    return State(folder, description["model"], kind, item_ids, attributes, changes, standing, key)


def put_items(
    state: State, made: IndexItems, *, replace: bool, reject: Callable[[list[BadRow]], None]
) -> tuple[int, int]:
    """Add items, or replace those of the same id or key and add the others.

    Args:
        state: From `read_state`.
        made: The items.
        replace: Whether an item may take the place of another; if not it is rejected.
        reject: Takes rows that are not added.

    Returns:
        How many were added, and how many of these took the place of others.

    Raises:
        InputError: The folder cannot be written to.
    """
    ids = [item["item_id"] for item in made.items]
    keys = _keys(state, made)
    are_there, by_key = state.those_of(ids), state.ids_of(keys)
    seen: dict[tuple[str, str], int] = {}
    good: list[int] = []
    replaced: set[str] = set()
    bad: list[BadRow] = []
    for place, (row, item_id, key) in enumerate(zip(made.rows, ids, keys, strict=True)):
        names = [("id", item_id)] + ([] if key is None else [("key", key)])
        earlier = next((seen[name] for name in names if name in seen), None)
        there = {item_id} & are_there | ({by_key[key]} if key in by_key else set())
        if earlier is not None:
            reason = f"the same item as row {earlier}"
        elif there and not replace:
            reason = f"already in the index as {min(there)}; huse index update replaces it"
        else:
            seen |= dict.fromkeys(names, row)
            good.append(place)
            replaced |= there
            continue
        bad.append(BadRow(row, made.items[place]["image"], made.items[place]["text"], reason))
    reject(bad)
    if good:
        kept = made.take(good)
        new = {ids[place] for place in good}
        _write(state, Entry(kept.table(state.kind), replaced - new, kept.blocks()))
    return len(good), len(replaced)


def remove_items(state: State, names: Sequence[str]) -> tuple[int, list[str]]:
    """Take items out of the index.

    Args:
        state: From `read_state`.
        names: Ids of items; their keys as texts if the state has a key.

    Returns:
        How many were removed, and which names are of none.

    Raises:
        InputError: The folder cannot be written to.
    """
    names = list(dict.fromkeys(names))
    if state.key is None:
        found = {name: name for name in state.those_of(names)}
    else:
        found = state.ids_of(names)
    if found:
        _write(state, Entry(IndexItems().table(state.kind), set(found.values())))
    return len(found), [name for name in names if name not in found]


def put_together(state: State) -> None:
    """Put all changes together; what no longer counts is forgotten.

    Raises:
        InputError: A file is damaged, or the folder cannot be written to.
    """
    if state.changes is None:
        return
    ids = set(state.standing.items["item_id"].to_pylist())
    features = {}
    for modality in state.kind.description.get("near", {}):
        parts = list(state.changes.features(modality, ids))
        if parts:
            names = [name for part in parts for name in part[0]]
            features[modality] = (names, stored_block([part[1] for part in parts]))
    _replace(state, state.standing.items, features)


def embed_again(model: Huse, state: State, pictures: Location) -> tuple[int, list[tuple[str, str]]]:
    """Embed the added items for another model than that which they were added to.

    Args:
        model: The present model.
        state: From `read_state`.
        pictures: Folder of the catalogue's pictures.

    Returns:
        How many were embedded; and ids of the items that could not be, which are left out, with
        reasons.

    Raises:
        InputError: The folder cannot be written to.
    """
    made = IndexItems()
    lost: list[tuple[str, str]] = []
    modality = state.kind.description["modality"]
    items = state.standing.items.drop_columns([VECTOR])
    for start in range(0, len(items), BATCH):
        part = items.slice(start, BATCH).to_pylist()
        features, reasons = model.read_features(
            [pictures / one["image"] if one["image"] else None for one in part],
            [one["text"] or None for one in part],
        )
        vector_ND = model.embed_features(features).modalities[modality]
        good = [one for one, reason in zip(part, reasons, strict=True) if not reason]
        lost += [
            (one["item_id"], reason) for one, reason in zip(part, reasons, strict=True) if reason
        ]
        frozen = frozen_features(features, state.kind.description)
        for n, one in enumerate(good):
            if np.isnan(vector_ND[n, 0]):
                lost.append((one["item_id"], f"the index is of {modality}s alone"))
                continue
            made.items.append({**one, BASE: state.kind.base})
            made.vectors.append(vector_ND[n])
            for name, of in frozen.items():
                if n in of:
                    made.features.setdefault(name, []).append((one["item_id"], of[n]))
    _replace(state, made.table(state.kind), made.blocks())
    return len(made.items), lost


def _write(state: State, entry: Entry) -> None:
    write_entry(state.folder, state.model, state.key, entry)
    changes = read_changes(state.folder)
    if changes is not None and len(changes.names) > MOST_ENTRIES:
        standing = stand(changes, state.item_ids, state.attributes, state.kind.base)
        put_together(state._replace(changes=changes, standing=standing))


def _replace(state: State, items: pa.Table, features: dict[str, tuple[list[str], Block]]) -> None:
    known = pa.array(sorted(state.standing.removed), pa.string())
    # What the catalogue no longer has need not be kept out.
    removed = known.filter(pc.is_in(known, state.item_ids)).to_pylist()
    entry = Entry(items, removed, features) if len(items) or removed else None
    replace_entries(state.folder, state.model, state.key, entry)


def _keys(state: State, made: IndexItems) -> list[str | None]:
    """The items' keys as texts; None for an item without."""
    if state.key is None:
        return [None] * len(made.items)
    kind = state.attributes[state.key].type
    keys = pa.array([item.get(state.key) for item in made.items], kind)
    return keys.cast(pa.string()).to_pylist()
