"""What people have decided about items that look filed wrongly: a table that a team shares.

The words and the file are defined here alone: `huse review` writes it, stage `audit` and
`huse refile` read it.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from pipeline.core.csv_file import csv_writer, read_records
from pipeline.core.errors import InputError

ACCEPT, KEEP, SKIP = "accept", "keep", "skip"
DECISIONS = (ACCEPT, KEEP, SKIP)
"""What a person may say of a suggestion: it is right, the given class is, or it is not clear."""
COLUMNS = ("item_id", "class_path", "decision", "new_path")
"""Of the decisions file; others that a team adds are kept."""


class Decision(NamedTuple):
    """What was decided about an item."""

    item_id: str
    class_path: str
    """The class that it had then."""
    decision: str
    """One of DECISIONS."""
    new_path: str = ""
    """The class that was accepted; empty where none was."""


class Standing(NamedTuple):
    """The items with a decision that still holds."""

    right: frozenset[str]
    """Kept: their class is known to be right."""
    waiting: frozenset[str]
    """Accepted: they wait for `huse refile`, and have the old class until then."""


NONE_DECIDED = Standing(frozenset(), frozenset())

Row = dict[str, str]


def read_rows(path: Path, columns: Collection[str]) -> tuple[list[str], list[Row]]:
    """Read a table with a column `decision`.

    Args:
        path: CSV in UTF-8. Rows may end early; a decision may be in any case, or empty.
        columns: What it has to have, `decision` among them.

    Returns:
        All its columns, and its rows with decisions as DECISIONS has them.

    Raises:
        InputError: The file is missing or cannot be read, a column is missing, or a row has no
            decision but another word.
    """
    names, rows = read_records(path, columns)
    for number, row in enumerate(rows, start=1):
        row["decision"] = word = row["decision"].strip().lower()
        if word not in (*DECISIONS, ""):
            raise InputError(
                f"{path}: row {number} (item {row['item_id']}): decision {word!r} is none of "
                f"{', '.join(DECISIONS)}, or nothing"
            )
    return names, rows


def read_decisions(path: Path) -> dict[str, Decision]:
    """Read what was decided.

    Args:
        path: A decisions file.

    Returns:
        The last decision about each item, by its id.

    Raises:
        InputError: As `read_rows`, or a row accepts no class.
    """
    decisions = {}
    for number, row in enumerate(_read_file(path)[1], start=1):
        found = Decision(*(row[name] for name in COLUMNS))
        if found.decision == ACCEPT and not found.new_path.strip():
            raise InputError(
                f"{path}: row {number} (item {found.item_id}): accepted, but new_path is empty; "
                "write the class there"
            )
        if found.decision:
            decisions[found.item_id] = found
    return decisions


def replace_rows(path: Path, item_id: str, rows: Sequence[Mapping[str, str]]) -> list[Row]:
    """Write what is decided about one item; all other rows stay as they are.

    Args:
        path: A decisions file.
        item_id: The item.
        rows: What takes the place of its rows, such as `[decision._asdict()]`.

    Returns:
        The rows that it had, with which the change can be taken back.

    Raises:
        InputError: As `read_rows`, or the file cannot be written.
    """
    names, known = _read_file(path)
    others = [row for row in known if row["item_id"] != item_id]
    with csv_writer(path, names) as write:
        write([row.get(name, "") for name in names] for row in [*others, *rows])
    return [row for row in known if row["item_id"] == item_id]


def is_decisions_file(columns: Collection[str], suggestions: Collection[str]) -> bool:
    """Whether a table is a decisions file, and no list of an audit with columns of suggestions."""
    return set(COLUMNS) <= set(columns) and set(columns).isdisjoint(suggestions)


def what_stands(decisions: Mapping[str, Decision], items: pd.DataFrame) -> Standing:
    """Find out which decisions still hold.

    One about an item that is gone, or whose class has changed since, is void.

    Args:
        decisions: From `read_decisions`.
        items: All items with `item_id` and `class_path`.
    """
    path_of = dict(zip(items["item_id"], items["class_path"], strict=True))
    held = [one for one in decisions.values() if path_of.get(one.item_id) == one.class_path]
    right, waiting = (
        frozenset(one.item_id for one in held if one.decision == word) for word in (KEEP, ACCEPT)
    )
    return Standing(right, waiting)


def _read_file(path: Path) -> tuple[list[str], list[Row]]:
    if not path.exists():
        raise InputError(
            f"audit.decisions: {path} not found; name the decisions file, or make it with the one "
            f"line {','.join(COLUMNS)}"
        )
    return read_rows(path, COLUMNS)
