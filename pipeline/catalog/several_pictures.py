"""Several pictures of one item: in one cell of the user's table, or in several of its rows."""

from collections import Counter
from typing import Any, NamedTuple, cast

import pandas as pd

from pipeline.core.counted import times
from pipeline.core.errors import BadRowError
from pipeline.features.class_path import normalize_class_path

LIST = "\n"
"""Between the names of a list, as the readers hand it on: names are in one line."""
SAME = {"classes": "class", "split": "split"}
"""Columns of which the rows of one item may not say different things, and what they are called."""
FIRST = ("text", "classes", "group", "split")
"""Columns that an item has of the first of its rows that says something."""


class JoinedRows(NamedTuple):
    """A table with one row per item."""

    table: pd.DataFrame
    """As `read_catalog` returns it."""
    first_row_of: dict[int, int]
    """Of every row that became a part of an earlier one, the number of that one."""


class LostPictures:
    """Pictures that rows name and that cannot be used, of items that have others."""

    def __init__(self) -> None:
        """Count from none."""
        self._first: tuple[int, str] | None = None
        self._reasons = Counter[str]()

    def add(self, row: int, name: str, reason: str) -> None:
        """Count one."""
        if self._first is None:
            self._first = row, name
        self._reasons[reason] += 1

    def describe(self) -> str | None:
        """One line on how many there are, and why most of them; None without any."""
        if self._first is None:
            return None
        row, name = self._first
        (reason, often), *_ = self._reasons.most_common(1)
        number = self._reasons.total()
        pictures = "1 picture is" if number == 1 else f"{number} pictures are"
        return (
            f"{pictures} left out of items that have others, such as {name!r} of row {row}; most "
            f"often ({times(often)}): {reason}"
        )


def picture_names(cell: str, separator: str | None) -> list[str]:
    """The names in a cell of the picture column, each once, in their order.

    Args:
        cell: As `read_catalog` returns it.
        separator: What stands between names, besides ends of lines; None: nothing else.
    """
    parts = cell.split(LIST)
    if separator is not None:
        parts = [name for part in parts for name in part.split(separator)]
    if len(parts) > 1:
        parts = [part.strip() for part in parts]
    return [name for name in dict.fromkeys(parts) if name.strip()]


def join_rows(table: pd.DataFrame, separator: str) -> JoinedRows:
    """Make one row of the rows that have the same value in the column `id`, if there is one.

    It is the first of them, with the pictures of all. A row with another class or split than the
    first, as far as it says one, stays a row of its own and has that for a reason. Rows without an
    id, and rows that could not be read, stay as they are.

    Args:
        table: What `read_catalog` returns.
        separator: Of class paths.
    """
    if "id" not in table:
        return JoinedRows(table, {})
    rows: list[dict[str, Any]] = []
    whole_of: dict[str, dict[str, Any]] = {}
    first_row_of: dict[int, int] = {}
    for row in cast(list[dict[str, Any]], table.to_dict("records")):
        key = row["id"].strip()
        whole = whole_of.get(key)
        if not key or row["reason"] or whole is None:
            rows.append(row)
            if key and not row["reason"]:
                whole_of[key] = row
        elif other := _other(whole, row, separator):
            reason = f"another {other} than row {whole['row']} of the same id"
            rows.append({**row, "reason": reason})
        else:
            first_row_of[row["row"]] = whole["row"]
            whole["image"] += LIST + row["image"]
            for name in FIRST:
                if name in row and not whole[name].strip():
                    whole[name] = row[name]
    return JoinedRows(pd.DataFrame(rows).astype(table.dtypes), first_row_of)


def _other(whole: dict[str, Any], row: dict[str, Any], separator: str) -> str | None:
    """What a row says differently than its item; None if nothing."""
    for name, called in SAME.items():
        written = [str(one.get(name, "")).strip() for one in (whole, row)]
        if name == "classes":
            written = [_plain_path(path, separator) for path in written]
        if all(written) and written[0] != written[1]:
            return called
    return None


def _plain_path(path: str, separator: str) -> str:
    try:
        return normalize_class_path(path, separator)
    except BadRowError:  # said of the row that has it, if it becomes an item
        return path
