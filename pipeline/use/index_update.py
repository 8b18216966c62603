"""Rows that say but a part of an item of the index: what they do not say stays as it is."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.catalog.several_pictures import LIST
from pipeline.core.errors import BadRowError, InputError
from pipeline.core.table import open_parquet
from pipeline.core.text import normalize_text
from pipeline.features.class_path import normalize_class_path
from pipeline.index.changed_values import apply, changed_table
from pipeline.index.changes import PICTURES
from pipeline.index.item_pictures import ItemPictures
from pipeline.index.stored_index import ITEMS
from pipeline.use.index_changes import ATTRIBUTE_KEY, State
from pipeline.use.index_items import IndexItems, RowValues, convert
from pipeline.use.new_items import BadRow, NewItem

SHOWN = ["item_id", "image", "text", "class_path"]


class Update:
    """Puts rows of a table together with the items that they are about.

    Columns that the table has are taken as they are, an empty cell too, but for an empty class
    path, which says nothing. All else stays. An item is embedded anew where the table names
    pictures, which may be others of the same name, or where its text has changed; otherwise its
    values are changed in place.
    """

    def __init__(self, state: State, said: RowValues, table: Path) -> None:
        """Find the items that the rows are about.

        Args:
            state: Of the index.
            said: What the table says.
            table: Its name, for messages.

        Raises:
            InputError: The table has neither pictures nor texts, and nothing that names an item or
                nothing to change.
        """
        self._state, self._said = state, said
        self._seen: dict[str, int] = {}
        self._changed: dict[str, dict[str, Any]] = {}
        self._kinds = {
            name: state.attributes.schema.field(name).type
            for name in said.names
            if name != state.key
        }
        if "classes" in said.has:
            self._kinds["class_path"] = pa.string()
        if not self.has_content:
            if state.key is None or state.key not in said.names:
                raise InputError(
                    f"{table}: no column of pictures or texts, and none of a key; name the column "
                    f"that names its items with {ATTRIBUTE_KEY}"
                )
            if not self._kinds:
                raise InputError(
                    f"{table}: no column beside {state.key} that the index knows; see "
                    "catalog.columns.keep"
                )
        self._key_of = self._keys()
        self._ids_of = state.ids_of(list(self._key_of.values()))

    @property
    def has_content(self) -> bool:
        """Whether the table has a column of pictures or of texts."""
        return bool({"image", "text"} & self._said.has)

    @property
    def names_items(self) -> bool:
        """Whether a row has a key."""
        return bool(self._key_of)

    @property
    def changed(self) -> pa.Table:
        """What is changed in place, as `put_items` takes it."""
        return changed_table(self._changed, self._kinds)

    def change_all(self) -> list[BadRow]:
        """Change the items of a table that has no content; returns the rows that are of none."""
        bad = []
        for row in self._said.values:
            try:
                if reason := self._said.reasons.get(row):
                    raise BadRowError(reason)
                self.complete(NewItem(row, "", ""))
            except BadRowError as error:
                bad.append(BadRow(row, "", "", str(error)))
        return bad

    def complete(self, item: NewItem) -> NewItem | None:
        """Give a row the picture, the text and the class path that its table does not tell.

        Returns:
            What is to be embedded; None where the item is changed in place.

        Raises:
            BadRowError: The row is of no item, or of several, or of that of another row; or what
                it lacks cannot be had.
        """
        key = self._key_of.get(item.row)
        known = sorted(self._ids_of.get(key, ())) if key is not None else []
        if not known:
            if not self.has_content:
                what = "names no item" if key is None else f"{self._state.key} {key} is no item's"
                raise BadRowError(f"{what}; a new one needs a picture or a text")
            return item
        assert key is not None, "it names items"
        if (earlier := self._seen.setdefault(key, item.row)) != item.row:
            raise BadRowError(f"the same item as row {earlier}")
        now, has = self._items[known[0]], self._said.has
        if self._is_as_before(item, known):
            values = self._values(item.row)
            self._changed |= dict.fromkeys(known, values)
            return None
        cells = self._said.values[item.row]
        if not str(cells[0] or "").strip():
            cells[0] = now["class_path"]
        if has >= {"image", "text"} and len(known) > 1:
            return item
        if len(known) > 1:
            raise BadRowError(
                f"{len(known)} items have the {self._state.key} {key}; name one of them, or both "
                "picture and text of what takes their place"
            )
        if "image" not in has and not now["image"] and known[0] in self._pictured:
            raise BadRowError("its picture is not in the catalogue's folder; name it as well")
        image = item.image
        if "image" not in has:
            image = now.get(PICTURES) or self._pictures.get(known[0], now["image"])
        return NewItem(item.row, image, item.text if "text" in has else now["text"])

    def fill(self, made: IndexItems) -> None:
        """Give items the attributes that the table does not tell."""
        absent = [
            name for name in self._state.attributes.column_names[1:] if name not in self._said.names
        ]
        if not absent:
            return
        ids = []
        for row, item in zip(made.rows, made.items, strict=True):
            known = self._ids_of.get(self._key_of.get(row) or "", set())
            ids.append(min(known, default=item["item_id"]))
        current = self._current(ids)
        for item_id, item in zip(ids, made.items, strict=True):
            now = current.get(item_id, {})
            item |= {name: now.get(f"attribute {name}") for name in absent}

    def _is_as_before(self, item: NewItem, known: Collection[str]) -> bool:
        """Whether the embeddings of what the row names are still right."""
        if "image" in self._said.has:
            return False
        if "text" not in self._said.has:
            return True
        text = normalize_text(item.text) if item.text else ""
        return all(self._items[one]["text"] == text for one in known)

    def _values(self, row: int) -> dict[str, Any]:
        """What a row says beside picture and text.

        Raises:
            BadRowError: A value is of another kind than the catalogue's, or no class path.
        """
        class_path, *cells = self._said.values[row]
        values = {
            name: convert(name, cell, self._kinds[name])
            for name, cell in zip(self._said.names, cells, strict=True)
            if name in self._kinds
        }
        if written := str(class_path or "").strip():
            separator = self._state.kind.description["separator"]
            values["class_path"] = normalize_class_path(written, separator)
        return values

    def _keys(self) -> dict[int, str]:
        """By row what names its item, as text; rows without are left out."""
        key, names = self._state.key, list(self._said.names)
        if key is None or key not in names:
            return {}
        kind, place = self._state.attributes.schema.field(key).type, 1 + names.index(key)
        found = {}
        for row, cells in self._said.values.items():
            try:
                value = convert(key, cells[place], kind)
            except BadRowError:  # which is told when the row comes
                continue
            if value is not None:
                found[row] = value
        texts = pa.array(found.values(), kind).cast(pa.string()).to_pylist()
        return dict(zip(found, texts, strict=True))

    @cached_property
    def _items(self) -> dict[str, dict[str, Any]]:
        """The items that rows are about, by id."""
        return self._current(set[str]().union(*self._ids_of.values()))

    @cached_property
    def _pictured(self) -> set[str]:
        """Ids of added items that were embedded from a picture."""
        changes, standing = self._state.changes, self._state.standing
        if changes is None:
            return set()
        return {one for ids, _ in changes.features("image", standing.entry_of) for one in ids}

    @cached_property
    def _pictures(self) -> dict[str, str]:
        """All pictures of the catalogue's items that have several, as `read_items` takes them."""
        several = ItemPictures.load(self._state.folder)
        names: dict[str, list[str]] = {}
        ids = self._state.item_ids.take(pa.array(several.rows, pa.int64())).to_pylist()
        for item_id, image in zip(ids, several.images, strict=True):
            names.setdefault(item_id, []).append(image)
        return {item_id: LIST.join(images) for item_id, images in names.items()}

    def _current(self, item_ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """What the index shows of items that a search may find, and their attributes, by id."""
        state = self._state
        wanted = pa.array(sorted(set(item_ids)), pa.string())
        names = state.attributes.column_names[1:]
        is_wanted = pc.is_in(state.item_ids, wanted)
        made_of = open_parquet(state.folder / ITEMS, SHOWN).read(SHOWN).filter(is_wanted)
        made_of = apply(made_of, state.standing.changed)
        attributes = state.attributes.filter(is_wanted)
        for name in names:
            made_of = made_of.append_column(f"attribute {name}", attributes[name])
        added = state.standing.items
        shown = [*SHOWN, PICTURES]
        added = added.filter(pc.is_in(added["item_id"], wanted)).select([*shown, *names])
        added = added.rename_columns([*shown, *(f"attribute {name}" for name in names)])
        found = {}
        for table, hidden in ((made_of, state.standing.hidden), (added, set[str]())):
            for row in table.to_pylist():
                if row["item_id"] not in hidden:
                    found[row["item_id"]] = row
        return found


def require_key(made: IndexItems, key: str, table: Path) -> None:
    """Stop where a table cannot name its items by a key: all of them would be new.

    Raises:
        InputError: No usable row has a value there.
    """
    if made.items and all(item.get(key) is None for item in made.items):
        raise InputError(f"{ATTRIBUTE_KEY}: no row of {table} says anything in a column {key}")
