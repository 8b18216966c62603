"""A table of new items -> their features, batch by batch: memory does not grow with the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from pipeline.catalog.leading_folders import NamedPictures
from pipeline.catalog.read import open_rows
from pipeline.catalog.rows import Row, Source, TableForm
from pipeline.catalog.several_pictures import LIST, LostPictures, picture_names
from pipeline.core.csv_file import csv_writer
from pipeline.core.errors import BadRowError, InputError
from pipeline.core.location import Location
from pipeline.pictures.folder import open_images
from pipeline.use.api import Huse
from pipeline.use.embeddings import Features
from pipeline.use.pooled_pictures import LeftOut

BATCH = 256
"""Items in memory at a time."""
ROLES = ("image", "text")


class NewItem(NamedTuple):
    """A usable row of the table."""

    row: int
    """As the user counts: 1 is the first row after the column names."""
    image: str
    """Path relative to the folder of pictures, of several the first that is used; empty: none."""
    text: str
    """As written; empty: none."""


class BadRow(NamedTuple):
    """A row that was kept out."""

    row: int
    image: str
    text: str
    reason: str


class ItemBatch(NamedTuple):
    """Some rows of the table."""

    items: list[NewItem]
    pictures: list[list[str]]
    """Of each item, the paths of all that are there, as the catalogue names an item by."""
    features: Features
    """Of the items, in their order."""
    rejected: list[BadRow]


class Counts(NamedTuple):
    """How many rows of a table were used and kept out."""

    used: int
    rejected: int

    def plus(self, batch: ItemBatch) -> Counts:
        """Count a batch too."""
        return Counts(self.used + len(batch.items), self.rejected + len(batch.rejected))


def read_items(
    model: Huse,
    table: Path,
    images: Location,
    columns: Mapping[str, str],
    *,
    usual: Mapping[str, str] | None = None,
    separator_images: str | None = None,
    form: TableForm | None = None,
    warn: Callable[[str], None] | None = None,
    complete: Callable[[NewItem], NewItem | None] | None = None,
) -> Iterator[ItemBatch]:
    """Read the rows of a table and make their features, of pictures, a text or both.

    Args:
        model: The trained model.
        table: CSV, TSV, JSON Lines, Parquet or Excel.
        images: Folder of the pictures; looked at when a row names one.
        columns: Names of the columns that must be there, by what they are for: image, text.
        usual: Names of those that are not in `columns`, image and text if not given; the table
            may lack one of the two.
        separator_images: What stands between several pictures in a cell; see `picture_names`.
        form: How the table is written.
        warn: Takes one line if it does and has columns of other names, one on folders in front of
            the pictures' names, and one on pictures that items with others lack.
        complete: Gives a row what it lacks; None for one that is no item. Several pictures are in
            `image`, joined by LIST, before and after. A `BadRowError` keeps the row out. That the
            table lacks a column is then no mistake.

    Yields:
        The rows in their order, some hundreds at a time. A row is kept out as by the catalogue
        and image_features stages, but an empty picture or an empty text alone is no mistake. Of
        several pictures those that can be used are pooled.

    Raises:
        InputError: The table or the folder cannot be read, or a column is missing or named twice.
    """
    wanted = {role: role for role in ROLES} | dict(usual or {}) | dict(columns)
    if wanted["image"] == wanted["text"]:
        raise InputError(
            f"--image-column and --text-column: {wanted['image']!r} would be read as both; name "
            "another column for one of them"
        )
    source = Source("table", "--{}-column", frozenset(ROLES) - set(columns), warn, "give --{} {}")
    named = open_rows(table, wanted, source._replace(warn=None), form)
    pictures = _name_pictures(images, named, separator_images)
    if warn and pictures and (line := pictures.describe()):
        warn(line)
    rows = open_rows(table, wanted, source._replace(warn=None) if complete else source, form)
    lost = LostPictures()
    while batch := list(islice(rows, BATCH)):
        yield _read(model, batch, images, pictures, separator_images, lost, complete)
    if warn and (line := lost.describe()):
        warn(line)


def _name_pictures(
    images: Location, rows: Iterator[Row], separator: str | None
) -> NamedPictures | None:
    """Read the pictures' names of the whole table once; None if there are none."""
    names = (name for row in rows for name in picture_names(row.values[0], separator))
    first = next(names, None)
    if first is None:
        return None
    place = f"the folder {images}; give the folder of the pictures with --images"
    return NamedPictures(open_images(images, key="--images", place=place), chain([first], names))


def _read(
    model: Huse,
    batch: list[Row],
    images: Location,
    pictures: NamedPictures | None,
    separator: str | None,
    lost: LostPictures,
    complete: Callable[[NewItem], NewItem | None] | None,
) -> ItemBatch:
    """Read some rows; `lost` takes pictures that are left out."""
    items: list[NewItem] = []
    shown: list[list[str]] = []
    rejected: list[BadRow] = []
    for row in batch:
        image, text = row.values
        try:
            if row.reason:
                raise BadRowError(row.reason)
            found, missing = _find(pictures, picture_names(image, separator))
            item = NewItem(row.number, LIST.join(found), text if text.strip() else "")
            whole = item if complete is None else complete(item)
            if whole is not None:
                items.append(whole)
                shown.append(picture_names(whole.image, None))
        except BadRowError as error:
            rejected.append(BadRow(row.number, image, text, str(error)))
            continue
        for name, reason in missing:
            lost.add(row.number, name, reason)
    left_out: list[LeftOut] = []
    features, reasons = model.read_features(
        [[images / name for name in of_item] for of_item in shown],
        [item.text or None for item in items],
        left_out.append,
    )
    unused = {(one.item, one.place) for one in left_out}
    for n, of_item in enumerate(shown):
        used = [name for place, name in enumerate(of_item) if (n, place) not in unused]
        items[n] = items[n]._replace(image=used[0] if used else "")
    for one in left_out:
        lost.add(items[one.item].row, shown[one.item][one.place], one.reason)
    rejected += [
        BadRow(*item, reason) for item, reason in zip(items, reasons, strict=True) if reason
    ]
    good = [n for n, reason in enumerate(reasons) if not reason]
    return ItemBatch([items[n] for n in good], [shown[n] for n in good], features, sorted(rejected))


def _find(
    pictures: NamedPictures | None, names: Sequence[str]
) -> tuple[list[str], list[tuple[str, str]]]:
    """Paths of the pictures that are there, each once, and the names of the others with reasons.

    Raises:
        BadRowError: Names are given, and none is of a picture that is there.
    """
    found: dict[str, None] = {}
    missing: list[tuple[str, str]] = []
    for name in names:
        assert pictures is not None, "a picture was named"
        try:
            found.setdefault(pictures.find(name))
        except BadRowError as error:
            missing.append((name, str(error)))
    if missing and not found:
        raise BadRowError(missing[0][1])
    return list(found), missing


@contextmanager
def rejected_writer(path: Path) -> Iterator[Callable[[list[BadRow]], None]]:
    """List the rows that were kept out, some at a time, in a CSV file: row, image, text, reason."""
    with csv_writer(path, BadRow._fields) as write:
        yield write


def refuse_if_empty(used: int, rejected: Path | None, table: Path) -> None:
    """Stop where nothing could be used; `rejected` lists the reasons.

    Raises:
        InputError: No item could be used.
    """
    if used == 0:
        where = "" if rejected is None else f"; the reasons are in {rejected}"
        raise InputError(f"{table}: no row can be used{where}")
