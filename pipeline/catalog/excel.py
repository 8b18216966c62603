"""Excel sheets (.xlsx), as a person sees them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.catalog.columns import find_columns
from pipeline.catalog.rows import Row, Source
from pipeline.core.errors import InputError

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

EXCEL = (".xlsx", ".xlsm")
DIGITS = 15
"""Of a number, as many as Excel shows."""

Cell = tuple[int, int]
"""Row and column, from 0."""


def read_excel(
    path: Path, sheet: str | None, *, wanted: Mapping[str, str], source: Source
) -> Iterator[Row]:
    """Yield the rows of a sheet but for blank ones; the first that is not has the column names.

    A cell that is merged with others stands in each of them. Of a formula its last result is taken,
    of an error nothing; a number is written without the format of its cell: `00123` is `123`.

    Raises:
        InputError: It is damaged or locked, there is no such sheet, it is blank, or a wanted
            column is missing or there twice.
    """
    records = read_sheet(path, sheet, source)
    names = next(records, None)
    if names is None:
        raise InputError(f"{source.path}: {path} is empty")
    positions = find_columns(path, names, wanted, source)
    for number, fields in enumerate(records, start=1):
        if any(fields):
            yield Row(number, ["" if place is None else fields[place] for place in positions], "")


def read_sheet(path: Path, sheet: str | None, source: Source) -> Iterator[list[str]]:
    """Yield the rows of a sheet from the column names on, blank ones too.

    Raises:
        InputError: It is damaged or locked, there is no such sheet, or cells are merged in the row
            of the column names.
    """
    with _opened(path, sheet, source) as opened:
        left = 0 if opened.start is None else opened.start[1]
        corner_of = _merged(opened)
        value_of: dict[Cell, Any] = {}
        has_names = False
        for row, cells in enumerate(opened.iter_rows()):
            if not has_names and all(cell == "" for cell in cells):
                continue
            if not has_names and row in corner_of:
                raise InputError(
                    f"{source.path}: row {row + 1} of {path} has merged cells; that is where the "
                    "column names are looked for: one to a cell, and no title above them"
                )
            for column, corner in corner_of.get(row, {}).items():
                if corner == (row, column):
                    value_of[corner] = cells[column - left]
                cells[column - left] = value_of.get(corner, "")
            texts = [_as_seen(cell) for cell in cells]
            # A blank behind a name is what nobody sees.
            yield texts if has_names else [text.strip() for text in texts]
            has_names = True


@contextmanager
def _opened(path: Path, sheet: str | None, source: Source) -> Iterator["CalamineSheet"]:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        with CalamineWorkbook.from_path(path) as book:
            name = _choose(path, book, sheet, source)
            yield book.get_sheet_by_name(name)
    except PasswordError as error:
        raise InputError(f"{source.path}: {path} has a password; save it without one") from error
    except (CalamineError, OSError) as error:
        raise InputError(
            f"{source.path}: {path} is not a readable Excel file ({error}); save it again as .xlsx"
        ) from error


def _choose(path: Path, book: "CalamineWorkbook", sheet: str | None, source: Source) -> str:
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    names = [
        one.name
        for one in book.sheets_metadata
        if one.typ == SheetTypeEnum.WorkSheet
        and (one.visible == SheetVisibleEnum.Visible or one.name == sheet)
    ]
    if sheet is None and names:
        return names[0]
    if sheet not in names:
        there = f"one of {', '.join(names)}" if names else "of one that has cells"
        raise InputError(
            f"{source.path}: {path} has no sheet {sheet!r}; {source.form.format('sheet', there)}"
        )
    return sheet


def _merged(sheet: "CalamineSheet") -> dict[int, dict[int, Cell]]:
    """By row and column the first cell of the range that a merged cell is in."""
    last = (-1, -1) if sheet.end is None else sheet.end
    found: dict[int, dict[int, Cell]] = defaultdict(dict)
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        rows = range(top, min(bottom, last[0]) + 1)
        for row, column in product(rows, range(left, min(right, last[1]) + 1)):
            found[row][column] = (top, left)
    return found


def _as_seen(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.{DIGITS}g}"
    return str(value)  # of a date 2024-01-31, of a time 09:30:00
