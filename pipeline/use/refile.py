"""Accepted suggestions of an audit -> a corrected copy of the user's table."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from pipeline.audit.decisions import ACCEPT, is_decisions_file, read_rows
from pipeline.catalog.items import (
    duplicate_of,
    make_items,
)
from pipeline.catalog.read import read_catalog
from pipeline.catalog.rewrite import rewrite_table
from pipeline.catalog.settings import CatalogSettings
from pipeline.catalog.several_pictures import join_rows
from pipeline.core.csv_file import write_csv
from pipeline.core.errors import BadRowError, InputError
from pipeline.features.class_path import normalize_class_path
from pipeline.pictures.folder import ImageFolder

PATHS = ("new_path", "suggested_path", "named_path", "other_path")
"""Columns that may have the class that is accepted: the first that is there and not empty."""


class Refiled(NamedTuple):
    """What became of the fixes."""

    rows: int
    """Rows of the table with another class, duplicates of an item included."""
    unknown: list[str]
    """Items of the list that are not in the catalogue any more."""


def read_fixes(path: Path, separator: str) -> dict[str, str]:
    """Read which items get which class.

    Args:
        path: A decisions file, in which the last decision about an item counts; or CSV with
            `item_id`, `decision` and one or more of PATHS, as an audit's items.csv, titles.csv or
            pairs.csv with one more column.
        separator: What joins the parts of a class path.

    Returns:
        Normalised class path by item id, of what is accepted.

    Raises:
        InputError: The file cannot be read, a column is missing, a row is no decision, or an item
            of a list is accepted with two classes.
    """
    columns, rows = read_rows(path, ("item_id", "decision"))
    there = [name for name in PATHS if name in columns]
    if not there:
        wanted = f"{PATHS[1]} or another of {', '.join(PATHS)}"
        raise InputError(f"{path}: no column {wanted}; it has {', '.join(columns)}")
    last = is_decisions_file(columns, PATHS[1:])
    path_of: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        where = f"{path}: row {number} (item {row['item_id']})"
        if last and row["decision"]:
            path_of.pop(row["item_id"], None)
        if row["decision"] != ACCEPT:
            continue
        wanted = next((row[name] for name in there if row[name].strip()), "")
        try:
            found = normalize_class_path(wanted, separator)
        except BadRowError as error:
            raise InputError(f"{where}: accepted, but its {error}") from error
        if path_of.setdefault(row["item_id"], found) != found:
            raise InputError(f"{where}: accepted as {found!r} and as {path_of[row['item_id']]!r}")
    return path_of


def refile(
    catalog: CatalogSettings, folder: ImageFolder, path_of: dict[str, str], out: Path, log: Path
) -> Refiled:
    """Write a copy of the user's table with other classes, and what was changed.

    Args:
        catalog: Section `catalog` that the items were made with.
        folder: The pictures.
        path_of: Class paths by item id.
        out: The copy.
        log: CSV with `row`, `item_id`, `old_path` and `new_path` of every changed row.

    Raises:
        InputError: The table cannot be read, or a file cannot be written.
    """
    source = Path(catalog.path)
    table = read_catalog(source, catalog.columns, catalog.form)
    items, rejected, *_ = make_items(
        table,
        folder,
        separator=catalog.separator,
        separator_images=catalog.columns.separator_images,
        require=catalog.require,
        on_bad_row="skip",
        warn=lambda line: None,
    )
    chosen = items[items["item_id"].isin(path_of)]
    # A row that says the same as an item is moved with it, or would stay behind as an item.
    again = dict(zip(chosen["row"].map(duplicate_of), chosen["item_id"], strict=True))
    id_of_row = dict(zip(chosen["row"], chosen["item_id"], strict=True))
    copies = rejected[rejected["reason"].isin(again)]
    id_of_row |= dict(zip(copies["row"], copies["reason"].map(again), strict=True))
    # The other rows of an item, as far as they name a class.
    old_of_row = table.set_index("row")["classes"]
    for row, first in join_rows(table, catalog.separator).first_row_of.items():
        if first in id_of_row and old_of_row[row].strip():
            id_of_row[row] = id_of_row[first]
    new_of_row = {row: path_of[item_id] for row, item_id in sorted(id_of_row.items())}
    rewrite_table(source, out, catalog.columns.classes, new_of_row, catalog.form)
    changes = [(row, id_of_row[row], old_of_row[row], new) for row, new in new_of_row.items()]
    columns = ["row", "item_id", "old_path", "new_path"]
    write_csv(log, pd.DataFrame(changes, columns=columns))
    return Refiled(len(changes), sorted(set(path_of) - set(items["item_id"])))
