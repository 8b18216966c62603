"""A row of the user's table as the readers hand it on, and what the readers are told."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, get_args

Delimiter = Literal["auto", ",", ";", "\t", "|"]
DELIMITERS: tuple[str, ...] = tuple(name for name in get_args(Delimiter) if name != "auto")


class TableForm(NamedTuple):
    """How the user's table is written, where its ending leaves that open."""

    encoding: str = "utf-8"
    """Of a text. UTF-8 and UTF-16 with a byte-order mark are recognised whatever stands here."""
    delimiter: str = "auto"
    """What stands between the columns of a text; auto: whatever the wanted columns are found by."""
    sheet: str | None = None
    """Sheet of an Excel file; None: the first one."""
    separator: str = "<"
    """What joins the folders of a tree of pictures to class paths."""


class Source(NamedTuple):
    """What the user calls the table and its columns, for messages."""

    path: str = "catalog.path"
    """Key or option that names the table."""
    column: str = "catalog.columns.{}"
    """Key or option that names a column; the braces stand for what the column is for."""
    optional: frozenset[str] = frozenset()
    """Columns, by what they are for, that the table may lack; their values are then empty."""
    warn: Callable[[str], None] | None = None
    """Takes one line on a column that the table lacks where another may have been meant."""
    form: str = "set catalog.{}: {}"
    """How to say what of `TableForm` is to be another; the braces stand for name and value."""
    as_text: bool = True
    """Whether values are made text; if not, JSON Lines and Parquet give theirs as they are."""
    lists: frozenset[str] = frozenset()
    """Columns, by what they are for, that may hold lists of texts: JSON Lines and Parquet give
    these with a line for each."""
    found: Callable[[frozenset[str]], None] | None = None
    """Takes what those columns are for that the table has, before its first row is read."""


class Row(NamedTuple):
    """One row of the user's table, whatever its format."""

    number: int
    """As the user counts: 1 is the first row after the column names; blank lines count."""
    values: list[Any]
    """One per wanted column: text, empty where nothing is there, unless the source says other."""
    reason: str
    """Why the row could not be read, or empty."""
