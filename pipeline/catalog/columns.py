"""Find the columns that params.yaml names in the columns that a table has."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.catalog.rows import Source
from pipeline.errors import InputError


def find_columns(
    path: Path, names: Sequence[str], wanted: Mapping[str, str], source: Source
) -> list[int | None]:
    """Locate each wanted column.

    Args:
        path: The table, for messages.
        names: Its column names in order.
        wanted: What a column is for to its name.
        source: Which columns may be missing.

    Returns:
        Position of each wanted column, in the order of `wanted`; None for one that is missing.

    Raises:
        InputError: A column that is needed is missing, all are, or a wanted name is there twice.
            Other columns may repeat: spreadsheets like to leave several without a name.
    """
    lacking_all = not set(wanted.values()) & set(names) and source.optional.issuperset(wanted)
    for role, name in wanted.items():
        found = names.count(name)
        if found == 0 and (role not in source.optional or lacking_all):
            raise InputError(
                f"{source.column.format(role)}: no column {name!r} in {path}; "
                f"it has {', '.join(names)}"
            )
        if found > 1:
            raise InputError(
                f"{source.column.format(role)}: {found} columns are called {name!r} in {path}; "
                "rename all but one"
            )
    return [names.index(name) if name in names else None for name in wanted.values()]
