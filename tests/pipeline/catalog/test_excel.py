from datetime import date, datetime

import openpyxl
import pytest

from pipeline.catalog.excel import read_excel, read_sheet
from pipeline.catalog.rows import Source
from pipeline.core.errors import InputError

WANTED = {"image": "image", "text": "text", "classes": "classes"}
HEADER = ("image", "text", "classes")


@pytest.fixture
def book(tmp_path):
    """A function that writes rows, lets a test change the sheet, and names the file."""

    def write(*rows, change=lambda sheet: None):
        made = openpyxl.Workbook()
        for row in rows:
            made.active.append(row)
        change(made.active)
        made.save(tmp_path / "catalog.xlsx")
        return tmp_path / "catalog.xlsx"

    return write


def read(path, wanted=WANTED, sheet=None):
    return [tuple(row) for row in read_excel(path, sheet, wanted=wanted, source=Source())]


def test_numbers_are_as_a_person_sees_them(book):
    values = (12345.0, 4006381333931, 5.5, 0.1 + 0.2, True, date(2024, 1, 31), None)
    path = book(["a", "b", "c", "d", "e", "f", "g", "h"], [*values, datetime(2024, 1, 31, 9, 30)])
    assert read(path, {name: name for name in "abcdefgh"}) == [
        (
            1,
            [
                *["12345", "4006381333931", "5.5", "0.3", "TRUE", "2024-01-31"],
                "",
                "2024-01-31 09:30:00",
            ],
            "",
        )
    ]


def test_blank_rows_count_and_are_not_returned(book):
    path = book([], [], HEADER, ["1.jpg", "Bag", "bags"], [], [], [None, "Hat"], [])
    assert read(path) == [(1, ["1.jpg", "Bag", "bags"], ""), (4, ["", "Hat", ""], "")]
    assert list(read_sheet(path, None, Source()))[:3] == [
        [*HEADER],
        ["1.jpg", "Bag", "bags"],
        ["", "", ""],
    ]


def test_a_table_need_not_begin_in_the_corner_nor_have_all_columns_named(book):
    path = book(
        [None, None, None, None, None, None],
        [None, "classes ", None, "image", None, "text"],
        [None, "bags", "x", "1.jpg", None, "Bag"],
    )
    assert read(path) == [(1, ["1.jpg", "Bag", "bags"], "")]


def test_a_merged_cell_stands_in_each_of_its_rows(book):
    path = book(
        [None, *HEADER],
        [None, "1.jpg", "Bag", "bags"],
        [None, "2.jpg", "Sack"],
        [None, "3.jpg", "Hat", "hats"],
        change=lambda sheet: sheet.merge_cells("D2:D3"),
    )
    assert [values[2] for _, values, _ in read(path)] == ["bags", "bags", "hats"]


@pytest.mark.parametrize("cells", ["A1:B1", "A1:A2"])
def test_merged_column_names_are_one_line(book, cells):
    path = book(HEADER, [1, 2, 3], [4, 5, 6], change=lambda sheet: sheet.merge_cells(cells))
    with pytest.raises(InputError, match=r"row 1 of .*catalog\.xlsx has merged cells; .* no title"):
        read(path)


def test_a_name_that_is_not_there_is_one_line(book):
    path = book(["Products", None, None], HEADER, ["1.jpg", "Bag", "bags"])
    with pytest.raises(InputError, match=r"no column 'image', 'text', 'classes' in .*Products"):
        read(path)


def test_sheets_are_taken_by_name_and_hidden_ones_are_not_the_first(book, tmp_path):
    made = openpyxl.Workbook()
    made.active.sheet_state = "hidden"
    made.active.append(["secret"])
    for name in ("new", "old"):
        made.create_sheet(name).append(HEADER)
        made[name].append(["1.jpg", name, "bags"])
    made.save(tmp_path / "catalog.xlsx")
    path = tmp_path / "catalog.xlsx"
    assert read(path) == [(1, ["1.jpg", "new", "bags"], "")]
    assert read(path, sheet="old") == [(1, ["1.jpg", "old", "bags"], "")]
    message = r"has no sheet 'older'; set catalog\.sheet: one of new, old$"
    with pytest.raises(InputError, match=message):
        read(path, sheet="older")


def test_a_blank_and_a_damaged_file_are_refused(book, tmp_path):
    with pytest.raises(InputError, match=r"catalog\.xlsx is empty"):
        read(book([], []))
    for content in (b"", b"image,text\n", book(HEADER).read_bytes()[:-400]):
        (tmp_path / "catalog.xlsx").write_bytes(content)
        with pytest.raises(InputError, match=r"not a readable Excel file .* as \.xlsx"):
            read(tmp_path / "catalog.xlsx")
