"""Read the user's catalogue, whatever its format, as strings."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from pipeline.catalog.delimited import choose_delimiter, read_delimited
from pipeline.catalog.excel import EXCEL, read_excel
from pipeline.catalog.picture_tree import read_picture_tree
from pipeline.catalog.records import read_json_lines, read_parquet
from pipeline.catalog.rows import Row, Source, TableForm
from pipeline.catalog.settings import ColumnSettings
from pipeline.catalog.text_file import check_text, text_opener
from pipeline.core.errors import InputError

DELIMITER_OF = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
"""What usually stands between the columns of a text with such an ending."""
JSON_LINES = (".jsonl", ".ndjson")
PARQUET = (".parquet", ".pq")
OLD_EXCEL = ".xls"
OF_A_TABLE = {"split": "one is made", "id": "every picture is an item"}
"""Columns that a folder has not, and what there is without them."""


def read_catalog(
    path: Path, columns: ColumnSettings, form: TableForm | None = None
) -> pd.DataFrame:
    """Read a CSV, TSV, JSON Lines, Parquet or Excel table; the text formats also gzipped.

    Or a folder of pictures, whose folders are the classes; see `read_picture_tree`. Of `columns`
    it has `image`, `text` and `classes`, whatever they are called there, and no group.

    Returns:
        One row per row of the table, in its order, with the columns:
        `row` (int), counted as a user does: 1 is the first row after the column names, a record
        over several lines is one row, and blank lines count but are not returned;
        `image`, `text`, `classes` and, where asked for, `group`, `split` and `id`: strings as
        written, empty where missing, a list of pictures with a line for each; and `reason`: why
        the row could not be read, or empty.

    Raises:
        InputError: The file is missing, empty, of another format or encoding, or damaged, or
            a column is missing or there twice.
    """
    wanted = columns.roles()
    form = form or TableForm()
    if path.is_dir():
        for role, instead in OF_A_TABLE.items():
            if role in wanted:
                raise InputError(
                    f"catalog.columns.{role}: {path} is a folder, which has no such column; set it "
                    f"to null, and {instead}"
                )
        wanted = {role: role for role in ("image", "text", "classes")}
        rows = list(read_picture_tree(path, form.separator, form.encoding, Source()))
    else:
        rows = list(open_rows(path, wanted, Source(lists=frozenset({"image"})), form))
    if not rows:
        raise InputError(f"catalog.path: {path} has column names but no rows")
    values_of = zip(*(row.values for row in rows), strict=True)
    frame = pd.DataFrame(
        {role: list(values) for role, values in zip(wanted, values_of, strict=True)}, dtype="str"
    )
    frame.insert(0, "row", [row.number for row in rows])
    frame["reason"] = pd.array([row.reason for row in rows], dtype="str")
    return frame


def open_rows(
    path: Path,
    wanted: Mapping[str, str],
    source: Source | None = None,
    form: TableForm | None = None,
) -> Iterator[Row]:
    """Read a table row by row; memory does not grow with it, but for an Excel sheet's.

    `wanted` says what a column is for, and its name; `source` what the user calls table and
    columns, if not by the keys of params.yaml, and which may be missing; `form` how it is written.

    Raises:
        InputError: As `read_catalog`; what is wrong with one row may turn up on the way.
    """
    source, form = source or Source(), form or TableForm()
    if not path.is_file():
        found = "is a folder, not a file" if path.is_dir() else "not found"
        raise InputError(f"{source.path}: {path} {found}")
    ending = text_ending(path)
    if ending in DELIMITER_OF or ending in JSON_LINES:
        text = text_opener(path, check_text(path, form.encoding, source))
        if ending in JSON_LINES:
            return read_json_lines(path, text, wanted=wanted, source=source)
        delimiter = form.delimiter
        if delimiter == "auto":
            delimiter = choose_delimiter(path, text, DELIMITER_OF[ending], wanted, source)
        return read_delimited(path, text, delimiter=delimiter, wanted=wanted, source=source)
    if path.suffix.lower() in PARQUET:
        return read_parquet(path, wanted=wanted, source=source)
    if path.suffix.lower() in EXCEL:
        return read_excel(path, form.sheet, wanted=wanted, source=source)
    if path.suffix.lower() == OLD_EXCEL:
        raise InputError(
            f"{source.path}: {path} is of Excel's format before 2007; save it as .xlsx"
        )
    known = ", ".join([*DELIMITER_OF, *JSON_LINES, *PARQUET, *EXCEL])
    raise InputError(f"{source.path}: {path} has none of the known endings: {known}")


def text_ending(path: Path) -> str:
    """The ending that tells a text's format, in lower case, packed or not."""
    return Path(path.name.lower().removesuffix(".gz")).suffix
