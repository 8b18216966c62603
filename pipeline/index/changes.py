"""What was added to an index, replaced in it and removed from it since it was made.

The index itself is what `dvc repro` made of the catalogue, and is never written to: at a million
items that would take seconds, and DVC would take the change for damage. Changes are entries beside
it, each a folder that is written whole before `changes.json` names it; so a command that is killed
has changed nothing, whenever that is.

Shape letters: A added items.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout
from typing_extensions import TypedDict

from pipeline.core.atomic import atomic_path
from pipeline.core.block import Block
from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json_as, write_json
from pipeline.core.table import open_parquet
from pipeline.features.text_file import read_block, write_block

Value = TypeVar("Value")

FORMAT_VERSION = 1
DESCRIPTION = "changes.json"
ITEMS = "items.parquet"
REMOVED = "removed.json"
CHANGED = "changed.parquet"
WITHOUT = "delete the folder to be without these changes"
WAIT = 60
"""Seconds that a command waits for another one that changes the same index."""
MOST_ENTRIES = 16
"""More are put together into one: each is some files to open before the first search."""
VECTOR = "vector"
BASE = "__base"
"""Which making of the index an item was added to; a name that no table of a user has."""
PICTURES = "__pictures"
"""All pictures of an added item that has several, joined by LIST; an earlier version wrote none."""
OWN = ("item_id", "image", "text", "class_path", "split", "x", "y", PICTURES, BASE, VECTOR)
"""Columns of added items that are no attributes."""


class MadeFor(NamedTuple):
    """What changes are made for, see `Changes`."""

    model: str
    recipe: Any
    key: str | None


class _Described(TypedDict):
    model: str
    recipe: dict[str, dict[str, str]]
    key: str | None
    entries: list[str]


@dataclass
class Entry:
    """One change: items are removed, then items are added, and values of others are changed."""

    items: pa.Table
    """A rows: what the index shows of an item, BASE, its attributes, and VECTOR."""
    removed: Collection[str] = ()
    """Ids of items."""
    features: Mapping[str, tuple[Sequence[str], Block]] = field(default_factory=dict)
    """By modality the ids of items that have it, and their frozen features, as towers take them."""
    changed: pa.Table | None = None
    """New values of items that keep their vector, see `pipeline.index.changed_values`, and BASE."""


@dataclass(frozen=True)
class Changes:
    """All changes of an index, as they are on disk."""

    folder: Path
    model: str
    """SHA-256 of the weights that the vectors are of."""
    recipe: Any
    """How the features were made, as the model has it."""
    key: str | None
    """The attribute that names an item for its owner, such as an article number."""
    names: tuple[str, ...]
    """Folders of the entries, the first change first."""

    def entries(self) -> Iterator[tuple[pa.Table, list[str], pa.Table | None]]:
        """Read the items of every entry, the ids that it removed, and the values that it changed.

        Raises:
            InputError: A file is missing or damaged.
        """
        for name in self.names:
            folder = self.folder / name
            removed = read_json_as(folder / REMOVED, list[str], WITHOUT)
            try:
                items = open_parquet(folder / ITEMS, ["item_id", BASE, VECTOR]).read()
                changed = None
                if (folder / CHANGED).exists():
                    changed = open_parquet(folder / CHANGED, ["item_id", BASE]).read()
            except (pa.ArrowException, OSError) as error:
                raise InputError(f"{folder}: damaged ({error}); {WITHOUT}") from error
            yield items, removed, changed

    def features(
        self, modality: str, entry_of: Mapping[str, int] | None = None
    ) -> Iterator[tuple[list[str], Block]]:
        """Read ids and frozen features of items that have them, entry by entry.

        Of all that were ever added, or of items as the entries of `Standing.entry_of` have them.

        Raises:
            InputError: A file is missing or damaged.
        """
        for number, name in enumerate(self.names):
            path = self.folder / name / f"{modality}.parquet"
            if path.exists():
                ids = open_parquet(path, ["item_id"]).read(["item_id"])["item_id"].to_pylist()
                rows = [
                    n
                    for n, one in enumerate(ids)
                    if entry_of is None or entry_of.get(one) == number
                ]
                if rows:
                    yield [ids[row] for row in rows], read_block(path, modality)[rows]


def changes_folder(index: Path) -> Path:
    """Where the changes of an index are: beside it, since `dvc repro` empties its own folder."""
    return index.with_name(f"{index.name}_changes")


def read_changes(index: Path) -> Changes | None:
    """Read which changes there are; None where there is none.

    Raises:
        InputError: The list is damaged, or of a newer format.
    """
    path = changes_folder(index) / DESCRIPTION
    if not path.is_file():
        return None
    described = read_json_as(path, _Described, WITHOUT, version=FORMAT_VERSION)
    names = described["entries"]
    # An index may have been downloaded: no folder elsewhere is read, or removed, for it.
    if not all(re.fullmatch("[0-9]+", one) for one in names):
        raise InputError(f"{path}: damaged (entries {names}); {WITHOUT}")
    if not names:
        return None
    made_for = described["model"], described["recipe"], described["key"]
    return Changes(path.parent, *made_for, tuple(names))


def read_steadily(index: Path, read: Callable[[Changes], Value]) -> Value | None:
    """Read something of the changes, again if another command changes them meanwhile.

    Returns:
        What `read` gives; None where there are no changes.

    Raises:
        InputError: A file is missing or damaged.
    """
    while (changes := read_changes(index)) is not None:
        try:
            found = read(changes)
        except InputError:
            if read_changes(index) == changes:
                raise
            continue
        # Files that an entry may lack could have gone while it was read.
        if read_changes(index) == changes:
            return found
    return None


@contextmanager
def changing(index: Path) -> Iterator[None]:
    """Keep other commands from changing the same index meanwhile.

    Raises:
        InputError: Another one does, and goes on for WAIT seconds.
    """
    folder = changes_folder(index)
    lock = FileLock(folder / ".lock", timeout=WAIT)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:  # an OSError too
        raise InputError(f"{folder}: another command is changing it; try again") from error
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror or error})") from error
    try:
        yield
    finally:
        lock.release()


def write_entry(index: Path, made_for: MadeFor, entry: Entry) -> None:
    """Put a change behind those that there are; hold `changing` meanwhile.

    Raises:
        InputError: The folder cannot be written to.
    """
    before = read_changes(index)
    names = () if before is None else before.names
    number = int(names[-1]) + 1 if names else 1
    _write(index, made_for, (*names, f"{number:06}"), entry)


def replace_entries(index: Path, made_for: MadeFor, entry: Entry | None) -> None:
    """Put one change, or none, in place of all that there are; hold `changing` meanwhile.

    Raises:
        InputError: The folder cannot be written to.
    """
    before = read_changes(index)
    number = int(before.names[-1]) + 1 if before and before.names else 1
    names = () if entry is None else (f"{number:06}",)
    _write(index, made_for, names, entry)


def _write(index: Path, made_for: MadeFor, names: Sequence[str], entry: Entry | None) -> None:
    folder = changes_folder(index)
    if entry is not None:
        with atomic_path(folder / names[-1]) as temporary:
            temporary.mkdir()
            pq.write_table(entry.items, temporary / ITEMS)
            write_json(temporary / REMOVED, sorted(entry.removed))
            if entry.changed is not None:
                pq.write_table(entry.changed, temporary / CHANGED)
            for modality, (ids, block) in entry.features.items():
                write_block(temporary / f"{modality}.parquet", modality, iter([(ids, block)]), {})
    described = {"format_version": FORMAT_VERSION, **made_for._asdict(), "entries": list(names)}
    write_json(folder / DESCRIPTION, described)
    # What a killed command left, and what was put together.
    for other in folder.iterdir():
        if other.is_dir() and other.name not in names:
            shutil.rmtree(other, ignore_errors=True)
