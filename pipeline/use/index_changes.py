"""Add items to the index, replace some and remove some, without a stage that runs again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.block import Block, stack_rows
from pipeline.core.errors import InputError
from pipeline.core.vectors import vector_array
from pipeline.index.changed_values import NOTHING, apply, with_base
from pipeline.index.changes import (
    BASE,
    MOST_ENTRIES,
    VECTOR,
    Changes,
    Entry,
    MadeFor,
    read_changes,
    replace_entries,
    write_entry,
)
from pipeline.index.standing import Standing, stand
from pipeline.index.stored_index import base_of, read_description, read_known
from pipeline.model.description import read_model_file
from pipeline.use.api import Huse
from pipeline.use.embeddings import Features
from pipeline.use.index_items import IndexItems, IndexKind
from pipeline.use.new_items import BadRow

ATTRIBUTE_KEY = "--key"


class Put(NamedTuple):
    """How many items were put into the index."""

    items: int
    replacing: int
    """Of these, in the place of others."""
    guessed: int
    """Of these, in the class that is most probable."""


class State(NamedTuple):
    """An index as it is before a command changes it, without its vectors."""

    folder: Path
    made_for: MadeFor
    kind: IndexKind
    item_ids: pa.ChunkedArray
    """Of the items that it was made of."""
    attributes: pa.Table
    """Of these, with values that were changed since."""
    changes: Changes | None
    standing: Standing
    key: str | None
    """The attribute that names an item for its owner."""

    def ids_of(self, keys: Sequence[str | None]) -> dict[str, set[str]]:
        """Find ids of items that a search may find, by keys as texts; several may share one."""
        found: dict[str, set[str]] = {}
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
            for key, item_id in pairs:
                if ids is not self.item_ids or item_id not in self.standing.hidden:
                    found.setdefault(key, set()).add(item_id)
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
    described = read_model_file(model)
    dimension = described["config"]["dim"]
    kind = IndexKind(description, base_of(folder), attributes.schema, dimension)
    changes = read_changes(folder)
    standing = Standing(IndexItems().table(kind), set(), set(), 0, {})
    if changes is not None:
        standing = stand(changes, item_ids, attributes, kind.base)
        attributes = apply(attributes, standing.changed)
        if len(standing.items) and changes.model != description["model"] and not other_model:
            raise InputError(
                f"{changes.folder}: earlier changes are another model's; run huse index refresh"
            )
    # The key of earlier changes goes on to tell which of them the catalogue has since.
    last = key or (None if changes is None else changes.key)
    made_for = MadeFor(description["model"], described["recipe"], last)
    return State(folder, made_for, kind, item_ids, attributes, changes, standing, key)


def put_items(
    state: State,
    made: IndexItems,
    *,
    replacing: bool,
    reject: Callable[[list[BadRow]], None],
    changed: pa.Table = NOTHING,
) -> Put:
    """Add items, or replace those of the same id or key and add the others.

    Args:
        state: From `read_state`.
        made: The items.
        replacing: Whether an item may take the place of another; if not it is rejected.
        reject: Takes rows that are not added.
        changed: New values of other items, see `changed_table`.

    Raises:
        InputError: The folder cannot be written to.
    """
    ids = [item["item_id"] for item in made.items]
    keys = _keys(state, made)
    are_there, by_key = state.those_of(ids), state.ids_of(keys)
    seen: dict[tuple[str, str], int] = {}
    good: list[int] = []
    replaced: set[str] = set()
    number = 0
    bad: list[BadRow] = []
    for place, (row, item_id, key) in enumerate(zip(made.rows, ids, keys, strict=True)):
        names = [("id", item_id)] + ([] if key is None else [("key", key)])
        earlier = next((seen[name] for name in names if name in seen), None)
        there = ({item_id} & are_there) | by_key.get(key or "", set())
        if earlier is not None:
            reason = f"the same item as row {earlier}"
        elif there and not replacing:
            reason = f"already in the index as {min(there)}; huse index update replaces it"
        else:
            seen |= dict.fromkeys(names, row)
            good.append(place)
            replaced |= there
            number += bool(there)
            continue
        bad.append(BadRow(row, made.items[place]["image"], made.items[place]["text"], reason))
    reject(bad)
    if good or len(changed):
        kept = made.take(good)
        new = {ids[place] for place in good}
        values = with_base(changed, state.kind.base)
        _write(state, Entry(kept.table(state.kind), replaced - new, kept.blocks(), values))
    return Put(len(good), number, sum(made.rows[place] in made.guessed for place in good))


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
        found = {name: {name} for name in state.those_of(names)}
    else:
        found = state.ids_of(names)
    ids = set[str]().union(*found.values())
    if ids:
        _write(state, Entry(IndexItems().table(state.kind), ids))
    return len(ids), [name for name in names if name not in found]


def put_together(state: State) -> None:
    """Put all changes together; what no longer counts is forgotten.

    Raises:
        InputError: A file is damaged, or the folder cannot be written to.
    """
    if state.changes is None:
        return
    _replace(state, state.standing.items, _features(state))


def embed_again(model: Huse, state: State) -> int:
    """Embed the added items for another model than that which they were added to.

    Args:
        model: The present model.
        state: From `read_state`.

    Returns:
        How many were embedded.

    Raises:
        InputError: The model's image backbone is another one, or the folder cannot be written to.
    """
    if state.changes is None:
        return 0
    features = _features(state)
    if "image" in features and state.changes.recipe["image"] != state.made_for.recipe["image"]:
        raise InputError(
            f"{state.changes.folder}: the pictures of added items were given to another image "
            "backbone than the model's; move this folder away and add the items again"
        )
    items = state.standing.items
    ids, texts = items["item_id"].to_pylist(), items["text"].to_pylist()
    image_PI, has_image = _given(features, ids)
    # An encoder of texts is fitted on the catalogue, and so another one.
    has_text = np.array([bool(text) for text in texts], dtype=bool)
    written = [text for text in texts if text]
    read, reasons = model.read_features([None] * len(written), written)
    if any(reasons):
        raise InputError(f"{state.changes.folder}: {next(filter(None, reasons))}")
    v = Features(image_PI, has_image, read.text_MF, has_text)
    vector_AD = model.embed_features(v).modalities[state.kind.description["modality"]]
    base = pa.array([state.kind.base] * len(ids), pa.string())
    items = items.drop_columns([BASE, VECTOR])
    items = items.append_column(BASE, base).append_column(VECTOR, vector_array(vector_AD))
    if written:
        named = [one for one, text in zip(ids, texts, strict=True) if text]
        features["text"] = (named, read.text_MF)
    _replace(state, items, features)
    return len(ids)


def _given(
    features: dict[str, tuple[list[str], Block]], ids: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Features of the items that have a picture, in their order, and which items these are."""
    if "image" not in features:
        return np.zeros((0, 0), np.float32), np.zeros(len(ids), dtype=bool)
    names, block = features["image"]
    place = {name: n for n, name in enumerate(names)}
    rows = [place[one] for one in ids if one in place]
    return np.asarray(block)[rows], np.array([one in place for one in ids], dtype=bool)


def _features(state: State) -> dict[str, tuple[list[str], Block]]:
    """Frozen features of the items that a search may find, by modality."""
    assert state.changes is not None, "there are no items"
    found = {}
    for modality in ("image", "text"):
        parts = list(state.changes.features(modality, state.standing.entry_of))
        if parts:
            names = [name for part in parts for name in part[0]]
            found[modality] = (names, stack_rows([part[1] for part in parts]))
    return found


def _write(state: State, entry: Entry) -> None:
    if state.changes is not None and state.changes.model != state.made_for.model:
        # Nothing but removals counts of what was changed for another model.
        removed = state.standing.removed | set(entry.removed)
        replace_entries(state.folder, state.made_for, replace(entry, removed=removed))
        return
    write_entry(state.folder, state.made_for, entry)
    changes = read_changes(state.folder)
    if changes is not None and len(changes.names) > MOST_ENTRIES:
        standing = stand(changes, state.item_ids, state.attributes, state.kind.base)
        put_together(state._replace(changes=changes, standing=standing))


def _replace(state: State, items: pa.Table, features: dict[str, tuple[list[str], Block]]) -> None:
    known = pa.array(sorted(state.standing.removed), pa.string())
    # What the catalogue no longer has need not be kept out.
    removed = known.filter(pc.is_in(known, state.item_ids)).to_pylist()
    changed = with_base(state.standing.changed, state.kind.base)
    entry = Entry(items, removed, features, changed)
    is_left = len(items) or removed or changed is not None
    replace_entries(state.folder, state.made_for, entry if is_left else None)


def _keys(state: State, made: IndexItems) -> list[str | None]:
    """The items' keys as texts; None for an item without."""
    if state.key is None:
        return [None] * len(made.items)
    kind = state.attributes[state.key].type
    keys = pa.array([item.get(state.key) for item in made.items], kind)
    return keys.cast(pa.string()).to_pylist()
