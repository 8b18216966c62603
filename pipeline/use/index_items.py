"""Rows of a table of new items -> items of the index: id, class path, attributes, vector.

Shape letters: A items, D embedding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from pipeline.catalog.attributes import INTEGER
from pipeline.catalog.items import make_item_id
from pipeline.catalog.read import open_rows
from pipeline.catalog.rows import Source, TableForm
from pipeline.catalog.several_pictures import LIST
from pipeline.core.block import Block, stack_rows
from pipeline.core.errors import BadRowError
from pipeline.core.vectors import vector_array
from pipeline.features.attributes import kind_of
from pipeline.features.class_path import normalize_class_path
from pipeline.index.changes import BASE, PICTURES, VECTOR
from pipeline.use.api import Huse
from pipeline.use.embeddings import Features
from pipeline.use.new_items import BadRow, ItemBatch, NewItem

ADDED = "added"
"""Their `split`: no tower was trained on them, and no figure is of them."""


class IndexKind(NamedTuple):
    """What an index wants to know of its items."""

    description: Mapping[str, Any]
    """Of index.json."""
    base: str
    """See `base_of`."""
    attributes: pa.Schema
    """Names and types of its attributes."""
    dimension: int
    """D."""


class RowValues(NamedTuple):
    """What a table says of its rows beside picture and text."""

    names: Sequence[str]
    """Attributes of the index that the table has."""
    values: Mapping[int, list[Any]]
    """By number of the row: the class path as written, then the attributes."""
    has: frozenset[str] = frozenset({"image", "text", "classes"})
    """Which of these the table has a column for."""
    reasons: Mapping[int, str] = MappingProxyType({})
    """By number, why a row could not be read."""


@dataclass
class IndexItems:
    """A items, ready for the index."""

    rows: list[int] = field(default_factory=list)
    """Of the table."""
    items: list[dict[str, Any]] = field(default_factory=list)
    """What the index shows of each, and its attributes."""
    vectors: list[np.ndarray] = field(default_factory=list)
    """[D] each."""
    features: dict[str, list[tuple[str, Block]]] = field(default_factory=dict)
    """By modality the id and the frozen features, [1, F], of the items that have it."""
    guessed: set[int] = field(default_factory=set)
    """Rows whose class was predicted."""

    def take(self, places: Sequence[int]) -> IndexItems:
        """Take some of them."""
        ids = {self.items[place]["item_id"] for place in places}
        return IndexItems(
            [self.rows[place] for place in places],
            [self.items[place] for place in places],
            [self.vectors[place] for place in places],
            {name: [one for one in of if one[0] in ids] for name, of in self.features.items()},
            self.guessed,
        )

    def table(self, kind: IndexKind) -> pa.Table:
        """Their table as `Entry` wants it."""
        shown = [("item_id", pa.string()), ("image", pa.string()), ("text", pa.string())]
        shown += [("class_path", pa.string()), ("split", pa.string())]
        shown += [("x", pa.float32()), ("y", pa.float32())]
        shown += [(PICTURES, pa.string()), (BASE, pa.string())]
        schema = pa.schema([*shown, *(one for one in kind.attributes if one.name != "item_id")])
        table = pa.Table.from_pylist(self.items, schema=schema)
        vector_AD = np.array(self.vectors, np.float32).reshape(-1, kind.dimension)
        return table.append_column(VECTOR, vector_array(vector_AD))

    def blocks(self) -> dict[str, tuple[list[str], Block]]:
        """Their frozen features as `Entry` wants them."""
        stacked = {}
        for name, of in self.features.items():
            if of:
                ids, rows = zip(*of, strict=True)
                stacked[name] = (list(ids), stack_rows(rows))
        return stacked


def read_values(
    table: Path,
    columns: Mapping[str, str],
    attributes: pa.Schema,
    form: TableForm,
) -> RowValues:
    """Read class paths and attributes of a table; both may be missing.

    Args:
        table: As `read_items` takes it.
        columns: Names of the columns of image, text and classes.
        attributes: What the index has.
        form: How the table is written.

    Raises:
        InputError: The table cannot be read.
    """
    kept = [one.name for one in attributes if one.name != "item_id"]
    # An attribute may be called as what another column is for.
    wanted = {**columns, **{f"attribute {name}": name for name in kept}}
    found: set[str] = set()
    source = Source("table", "{}", frozenset(wanted), found=found.update, as_text=False)
    rows = list(open_rows(table, wanted, source, form))
    names = [name for name in kept if f"attribute {name}" in found]
    roles = list(wanted)
    places = [roles.index(role) for role in ("classes", *(f"attribute {one}" for one in names))]
    values = {row.number: [row.values[place] for place in places] for row in rows}
    reasons = {row.number: row.reason for row in rows if row.reason}
    return RowValues(names, values, frozenset(columns) & found, reasons)


def make_items(
    model: Huse,
    batches: Iterable[ItemBatch],
    said: RowValues,
    kind: IndexKind,
    *,
    picture: Callable[[str], str],
    reject: Callable[[list[BadRow]], None],
) -> IndexItems:
    """Embed the rows of a table and make items of the index of them.

    An item whose row has no class path gets the most probable one.

    Args:
        model: The trained model.
        batches: From `read_items`.
        said: From `read_values`, of the same table.
        kind: Of the index.
        picture: Turns a picture's path within its folder into the one that the index shows.
        reject: Takes the rows that cannot be used.

    Raises:
        InputError: A file of the model is damaged.
    """
    made = IndexItems()
    for batch in batches:
        reject(batch.rejected)
        vector_ND = model.embed_features(batch.features).modalities[kind.description["modality"]]
        features = frozen_features(batch.features)
        guesses = _guess(model, batch, said)
        bad = []
        for n, item in enumerate(batch.items):
            try:
                if np.isnan(vector_ND[n, 0]):
                    raise BadRowError(f"the index is of {kind.description['modality']}s alone")
                text, shown = batch.features.texts[n], batch.pictures[n]
                one = _make_item(item, shown, text, said, kind, guesses.get(n))
            except BadRowError as error:
                bad.append(BadRow(*item, str(error)))
                continue
            one["image"] = picture(item.image) if item.image else ""
            if one["image"] and len(shown) > 1:
                one[PICTURES] = LIST.join(map(picture, shown))
            made.rows.append(item.row)
            made.items.append(one)
            made.vectors.append(vector_ND[n])
            if n in guesses:
                made.guessed.add(item.row)
            for name, of in features.items():
                if n in of:
                    made.features.setdefault(name, []).append((one["item_id"], of[n]))
        reject(bad)
    return made


def frozen_features(v: Features) -> dict[str, dict[int, Block]]:
    """What the towers are given, by modality and item: [1, F]; another model can embed it."""
    return {
        name: {n: block[place : place + 1] for place, n in enumerate(np.flatnonzero(has).tolist())}
        for name, has, block in (
            ("image", v.has_image, v.image_PI),
            ("text", v.has_text, v.text_MF),
        )
    }


def _guess(model: Huse, batch: ItemBatch, said: RowValues) -> dict[int, str]:
    """Predict the classes of the items that have none."""
    lacking = [n for n, item in enumerate(batch.items) if not _class_of(said, item.row)]
    if not lacking:
        return {}
    predictions = model.classify(batch.features, k=1)
    return {n: predictions[n].top[0].path for n in lacking}


def _class_of(said: RowValues, row: int) -> str:
    return str(said.values[row][0] or "").strip()


def _make_item(
    item: NewItem,
    pictures: Sequence[str],
    text: str | None,
    said: RowValues,
    kind: IndexKind,
    guess: str | None,
) -> dict[str, Any]:
    separator = kind.description["separator"]
    class_path = guess or normalize_class_path(_class_of(said, item.row), separator)
    values = said.values[item.row][1:]
    return {
        # Of paths within the folder, as the catalogue would name it.
        "item_id": make_item_id(pictures, text or "", class_path),
        "text": text or "",
        "class_path": class_path,
        "split": ADDED,
        "x": None,  # on no map
        "y": None,
        BASE: kind.base,
        **{
            name: convert(name, value, kind.attributes.field(name).type)
            for name, value in zip(said.names, values, strict=True)
        },
    }


def convert(name: str, value: Any, kind: pa.DataType) -> Any:
    """Make a value one of an attribute's type, exactly; nothing is None.

    Raises:
        BadRowError: It cannot be.
    """
    if isinstance(value, str):
        value = value.strip()
    if value in (None, "") or (isinstance(value, float) and not math.isfinite(value)):
        return None
    try:
        if pa.types.is_integer(kind) and isinstance(value, str):
            # Arrow reads 007 and 0x7 as 7 and refuses +7; the catalogue does the contrary.
            if not INTEGER.fullmatch(value):
                raise ValueError(f"{value!r} is no integer")
            return pa.scalar(value.removeprefix("+")).cast(kind).as_py()
        if pa.types.is_decimal(kind) and isinstance(value, (int, float)):
            # Arrow rounds floats to the decimal's places, and refuses integers.
            value = str(value)
        return pa.scalar(value).cast(kind).as_py()
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        wanted = kind_of(pa.array([], kind))
        raise BadRowError(f"{name} is {value!r}, and of the catalogue's kind {wanted}") from error
