"""A row of the user's table as the readers hand it on."""

from collections.abc import Callable
from typing import Any, NamedTuple


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
    as_text: bool = True
    """Whether values are made text; if not, JSON Lines and Parquet give theirs as they are."""


class Row(NamedTuple):
    """One row of the user's table, whatever its format."""

    number: int
    """As the user counts: 1 is the first row after the column names; blank lines count."""
    values: list[Any]
    """One per wanted column: text, empty where nothing is there, unless the source says other."""
    reason: str
    """Why the row could not be read, or empty."""
