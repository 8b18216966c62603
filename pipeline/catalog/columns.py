"""Find the columns that params.yaml names in the columns that a table has."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.catalog.rows import Source
from pipeline.catalog.settings import NULLABLE
from pipeline.core.errors import InputError


def find_columns(
    path: Path, names: Sequence[str], wanted: Mapping[str, str], source: Source
) -> list[int | None]:
    """Locate each wanted column.

    Args:
        path: The table, for messages.
        names: Its column names in order.
        wanted: What a column is for to its name.
        source: Which columns may be missing.

    Raises:
        InputError: A column that is needed is missing, all are, or a wanted name is there twice.
            Other columns may repeat: spreadsheets like to leave several without a name.
    """
    missing = [role for role, name in wanted.items() if name not in names]
    needed = [role for role in missing if role not in source.optional]
    if not needed and len(missing) == len(wanted):
        needed = missing
    if needed:
        keys = ", ".join(dict.fromkeys(source.column.format(role) for role in needed))
        lacking = ", ".join(repr(wanted[role]) for role in needed)
        hint = "; set the key to null if there is none" * set(needed).issubset(NULLABLE)
        raise InputError(f"{keys}: no column {lacking} in {path}; it has {', '.join(names)}{hint}")
    for role, name in wanted.items():
        if (found := names.count(name)) > 1:
            raise InputError(
                f"{source.column.format(role)}: {found} columns are called {name!r} in {path}; "
                "rename all but one"
            )
    if source.warn and missing and set(names) - set(wanted.values()):
        source.warn(_lacking(path, names, wanted, missing, source))
    if source.found:
        source.found(frozenset(wanted) - frozenset(missing))
    return [names.index(name) if name in names else None for name in wanted.values()]


def _lacking(
    path: Path,
    names: Sequence[str],
    wanted: Mapping[str, str],
    missing: Sequence[str],
    source: Source,
) -> str:
    """Of the columns that nobody asked for, one may be the missing one under another name."""
    lacking = ", ".join(repr(wanted[role]) for role in missing)
    used = " and ".join(role for role in wanted if role not in missing)
    keys = ", ".join(source.column.format(role) for role in missing)
    return (
        f"no column {lacking} in {path}, so {used} alone is used; it has {', '.join(names)}; "
        f"name the column with {keys}"
    )
