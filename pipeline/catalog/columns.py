"""Find the columns that params.yaml names in the columns that a table has."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.errors import InputError


def find_columns(path: Path, names: Sequence[str], wanted: Mapping[str, str]) -> list[int]:
    """Locate each wanted column.

    Args:
        path: The table, for messages.
        names: Its column names in order.
        wanted: Key below `catalog.columns` to column name.

    Returns:
        Position of each wanted column, in the order of `wanted`.

    Raises:
        InputError: A wanted column is missing, or its name is there twice. Other columns may
            repeat: spreadsheets like to leave several without a name.
    """
    for role, name in wanted.items():
        found = names.count(name)
        if found == 0:
            raise InputError(
                f"catalog.columns.{role}: no column {name!r} in {path}; it has {', '.join(names)}"
            )
        if found > 1:
            raise InputError(
                f"catalog.columns.{role}: {found} columns are called {name!r} in {path}; "
                "rename all but one"
            )
    return [names.index(name) for name in wanted.values()]
