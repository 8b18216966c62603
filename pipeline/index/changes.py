"""What was added to an index, replaced in it and removed from it since it was made.

The index itself is what `dvc repro` made of the catalogue, and is never written to: at a million
items that would take seconds, and DVC would take the change for damage. Changes are entries beside
it, each a folder that is written whole before `changes.json` names it; so a command that is killed
has changed nothing, whenever that is.

Shape letters: A added items, D embedding.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from pipeline.core.atomic import atomic_path
from pipeline.core.block import Block
from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json, write_json
from pipeline.core.table import open_parquet
from pipeline.features.text_file import read_block, write_block

FORMAT_VERSION = 1
DESCRIPTION = "changes.json"
ITEMS = "items.parquet"
REMOVED = "removed.json"
WAIT = 60
"""Seconds that a command waits for another one that changes the same index."""
MOST_ENTRIES = 16
"""More are put together into one: each is some files to open before the first search."""
OWN = ("item_id", "image", "text", "class_path", "split", "x", "y", "base", "vector")
"""Columns of added items that are no attributes."""
VECTOR = "vector"
BASE = "base"
"""Which making of the index an item was added to."""


@dataclass
class Entry:
    """One change: items are removed, then items are added."""

    items: pa.Table
    """A rows: what the index shows of an item, `base`, its attributes, and `vector`."""
    removed: Collection[str] = ()
    """Ids of items."""
    features: Mapping[str, tuple[Sequence[str], Block]] = field(default_factory=dict)
    """By modality the ids of items that have it, and their frozen features of unit norm."""


@dataclass(frozen=True)
class Changes:
    """All changes of an index, as they are on disk."""

    folder: Path
    model: str
    """SHA-256 of the weights that the vectors are of."""
    key: str | None
    """The attribute that names an item for its owner, such as an article number."""
    names: tuple[str, ...]
    """Folders of the entries, the first change first."""

    def entries(self) -> Iterator[tuple[pa.Table, list[str]]]:
        """Read the items of every entry, and the ids that it removed.

        Raises:
            InputError: A file is missing or damaged.
        """
        for name in self.names:
            folder = self.folder / name
            items = open_parquet(folder / ITEMS, ["item_id", BASE, VECTOR]).read()
            yield items, read_json(folder / REMOVED)

    def features(
        self, modality: str, item_ids: Collection[str] | None = None
    ) -> Iterator[tuple[list[str], Block]]:
        """Read ids and frozen features of items that have them, entry by entry.

        Of all that were ever added, or of those with `item_ids`.

        Raises:
            InputError: A file is missing or damaged.
        """
        for name in self.names:
            path = self.folder / name / f"{modality}.parquet"
            if path.exists():
                ids = open_parquet(path, ["item_id"]).read(["item_id"])["item_id"].to_pylist()
                rows = [n for n, one in enumerate(ids) if item_ids is None or one in item_ids]
                if rows:
                    yield [ids[row] for row in rows], read_block(path, modality)[rows]


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

    def removals(self) -> Standing:
        """What is left of the changes where another model made them."""
        return replace(self, items=self.items.slice(0, 0), hidden=self.removed)


def changes_folder(index: Path) -> Path:
    """Where the changes of an index are: beside it, since `dvc repro` empties its own folder."""
    return index.with_name(f"{index.name}_changes")


def read_changes(index: Path) -> Changes | None:
    """Read which changes there are; None: none.

    Raises:
        InputError: The list is damaged, or of a newer format.
    """
    path = changes_folder(index) / DESCRIPTION
    if not path.is_file():
        return None
    described = read_json(path)
    version = described.get("format_version") if isinstance(described, dict) else None
    if version != FORMAT_VERSION:
        raise InputError(
            f"{path}: format version {version}, this program reads {FORMAT_VERSION}; update the "
            "program, or delete the folder to be without these changes"
        )
    names = tuple(described["entries"])
    # An index may have been downloaded: no folder elsewhere is read, or removed, for it.
    if any(Path(name).name != name for name in names):
        raise InputError(f"{path}: damaged (entries {names}); delete the folder to be without it")
    return Changes(path.parent, described["model"], described["key"], names)


def stand(changes: Changes, item_ids: pa.ChunkedArray, attributes: pa.Table, base: str) -> Standing:
    """Work out what changes come to.

    An item that was added to another making of the index counts no longer if this one was made of
    it, or of one with the same key.

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
    removed: set[str] = set()
    start = 0
    for items, gone in changes.entries():
        for item_id in gone:
            place.pop(item_id, None)
        removed.update(gone)
        for number, item_id in enumerate(items["item_id"].to_pylist(), start):
            place.pop(item_id, None)  # at the end again
            place[item_id] = number
            removed.discard(item_id)
        start += len(items)
        tables.append(items)
    everything = pa.concat_tables(tables, promote_options="permissive")
    live = _with_columns(everything.take(pa.array(place.values(), pa.int64())), attributes.schema)
    known = _in_both(live["item_id"], item_ids)
    if changes.key in attributes.column_names:
        gone = pc.is_in(item_ids, pa.array(sorted(removed), pa.string()))
        keys = attributes[changes.key].filter(pc.invert(gone)).cast(pa.string())
        known = pc.or_(known, _in_both(live[changes.key].cast(pa.string()), keys))
    items = live.filter(pc.or_(pc.equal(live[BASE], base), pc.invert(known)))
    hidden = removed | set(items["item_id"].to_pylist())
    return Standing(items, hidden, removed, len(live) - len(items))


def _in_both(few: pa.ChunkedArray, many: pa.ChunkedArray) -> pa.ChunkedArray:
    """Which of a few texts are among many, without a table of the many."""
    both = many.filter(pc.is_in(many, few.combine_chunks()))
    return pc.and_(pc.is_in(few, both.combine_chunks()), pc.is_valid(few))


def _with_columns(items: pa.Table, schema: pa.Schema) -> pa.Table:
    """Give items the columns of a schema beside OWN; what they lack is null."""
    columns = {name: items[name] for name in items.column_names if name in OWN}
    for one in schema:
        if one.name not in items.column_names:
            columns[one.name] = pa.nulls(len(items), one.type)
            continue
        try:
            columns[one.name] = items[one.name].cast(one.type)
        except pa.ArrowException as error:
            raise InputError(
                f"column {one.name} of added items is {items[one.name].type}, and that of the "
                f"catalogue's {one.type}; run huse index update with a table of them"
            ) from error
    return pa.table(columns)


def describe(standing: Standing, item_ids: pa.ChunkedArray) -> str:
    """Say in one line in what a searched index differs from one that was just made.

    `item_ids` are those of the items that it was made of.
    """
    removed = pa.array(sorted(standing.removed), pa.string())
    still = pc.sum(pc.is_in(item_ids, removed)).as_py() or 0
    replaced = _in_both(standing.items["item_id"], item_ids)
    new = len(standing.items) - (pc.sum(replaced).as_py() or 0)
    parts = [f"{new} added", f"{len(standing.items) - new} replaced", f"{still} removed"]
    said = f"{', '.join(parts)} since it was made of {len(item_ids)} items"
    if standing.superseded:
        said += f"; {standing.superseded} that were added before are of the catalogue now"
    return said


@contextmanager
def changing(index: Path) -> Iterator[None]:
    """Keep other commands from changing the same index meanwhile.

    Raises:
        InputError: Another one does, and goes on for WAIT seconds.
    """
    folder = changes_folder(index)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock", timeout=WAIT):
            yield
    except Timeout as error:  # an OSError too
        raise InputError(f"{folder}: another command is changing it; try again") from error
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror or error})") from error


def write_entry(index: Path, model: str, key: str | None, entry: Entry) -> None:
    """Put a change behind those that there are; hold `changing` meanwhile.

    Raises:
        InputError: The folder cannot be written to.
    """
    before = read_changes(index)
    names = () if before is None else before.names
    number = int(names[-1]) + 1 if names else 1
    _write(index, model, key, (*names, f"{number:06}"), entry)


def replace_entries(index: Path, model: str, key: str | None, entry: Entry | None) -> None:
    """Put one change, or none, in place of all that there are; hold `changing` meanwhile.

    Raises:
        InputError: The folder cannot be written to.
    """
    before = read_changes(index)
    number = int(before.names[-1]) + 1 if before and before.names else 1
    names = () if entry is None else (f"{number:06}",)
    _write(index, model, key, names, entry)


def _write(
    index: Path, model: str, key: str | None, names: Sequence[str], entry: Entry | None
) -> None:
    folder = changes_folder(index)
    if entry is not None:
        with atomic_path(folder / names[-1]) as temporary:
            temporary.mkdir()
            pq.write_table(entry.items, temporary / ITEMS)
            write_json(temporary / REMOVED, sorted(entry.removed))
            for modality, (ids, block) in entry.features.items():
                write_block(temporary / f"{modality}.parquet", modality, iter([(ids, block)]), {})
    described: dict[str, Any] = {"format_version": FORMAT_VERSION, "model": model, "key": key}
    write_json(folder / DESCRIPTION, described | {"entries": list(names)})
    # What a killed command left, and what was put together.
    for other in folder.iterdir():
        if other.is_dir() and other.name not in names:
            shutil.rmtree(other, ignore_errors=True)
