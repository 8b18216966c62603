"""A table of new items -> their features, batch by batch: memory does not grow with the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from pipeline.catalog.leading_folders import NamedPictures
from pipeline.catalog.read import open_rows
from pipeline.catalog.rows import Row, Source, TableForm
from pipeline.core.csv_file import csv_writer
from pipeline.core.errors import BadRowError, InputError
from pipeline.core.location import Location
from pipeline.pictures.folder import open_images
from pipeline.use.api import Huse
from pipeline.use.embeddings import Features

BATCH = 256
"""Items in memory at a time."""
ROLES = ("image", "text")


class NewItem(NamedTuple):
    """A usable row of the table."""

    row: int
    """As the user counts: 1 is the first row after the column names."""
    image: str
    """Path relative to the folder of pictures; empty: none."""
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
    form: TableForm | None = None,
    warn: Callable[[str], None] | None = None,
    complete: Callable[[NewItem], NewItem | None] | None = None,
) -> Iterator[ItemBatch]:
    """Read the rows of a table and make their features, of a picture, a text or both.

    Args:
        model: The trained model.
        table: CSV, TSV, JSON Lines, Parquet or Excel.
        images: Folder of the pictures; looked at when a row names one.
        columns: Names of the columns that must be there, by what they are for: image, text.
        usual: Names of those that are not in `columns`, image and text if not given; the table
            may lack one of the two.
        form: How the table is written.
        warn: Takes one line if it does and has columns of other names, and one on folders in
            front of the pictures' names.
        complete: Gives a row what it lacks; None for one that is no item. A `BadRowError` keeps the
            row out. That the table lacks a column is then no mistake.

    Yields:
        The rows in their order, some hundreds at a time. A row is kept out as by the catalogue
        and image_features stages, but an empty picture or an empty text alone is no mistake.

    Raises:
        InputError: The table or the folder cannot be read, or a column is missing.
    """
    wanted = {role: role for role in ROLES} | dict(usual or {}) | dict(columns)
    source = Source("table", "--{}-column", frozenset(ROLES) - set(columns), warn, "give --{} {}")
    named = open_rows(table, wanted, source._replace(warn=None), form)
    pictures = _name_pictures(images, named)
    if warn and pictures and (line := pictures.describe()):
        warn(line)
    rows = open_rows(table, wanted, source._replace(warn=None) if complete else source, form)
    while batch := list(islice(rows, BATCH)):
        yield _read(model, batch, images, pictures, complete)


def _name_pictures(images: Location, rows: Iterator[Row]) -> NamedPictures | None:
    """Read the pictures' names of the whole table once; None if there are none."""
    names = (name for row in rows if (name := row.values[0]).strip())
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
    complete: Callable[[NewItem], NewItem | None] | None,
) -> ItemBatch:
    items: list[NewItem] = []
    rejected: list[BadRow] = []
    for row in batch:
        image, text = row.values
        try:
            if row.reason:
                raise BadRowError(row.reason)
            found = pictures.find(image) if pictures is not None and image.strip() else ""
            item = NewItem(row.number, found, text if text.strip() else "")
            whole = item if complete is None else complete(item)
            if whole is not None:
                items.append(whole)
        except BadRowError as error:
            rejected.append(BadRow(row.number, image, text, str(error)))
    features, reasons = model.read_features(
        [images / item.image if item.image else None for item in items],
        [item.text or None for item in items],
    )
    rejected += [
        BadRow(*item, reason) for item, reason in zip(items, reasons, strict=True) if reason
    ]
    good = [item for item, reason in zip(items, reasons, strict=True) if not reason]
    return ItemBatch(good, features, sorted(rejected))


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
