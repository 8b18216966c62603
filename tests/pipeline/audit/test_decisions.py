import pandas as pd
import pytest

from pipeline.audit.decisions import (
    COLUMNS,
    Decision,
    is_decisions_file,
    read_decisions,
    read_rows,
    replace_rows,
    what_stands,
)
from pipeline.core.errors import InputError

HEADER = "item_id,class_path,decision,new_path\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "decisions.csv"
    path.write_text(HEADER)
    return path


def test_the_last_decision_about_an_item_counts(file):
    file.write_text(HEADER + "a,bags,accept,hats\nb,bags,skip,\n\na,bags, Keep ,\nb,bags,,\n")
    assert read_decisions(file) == {
        "a": Decision("a", "bags", "keep"),
        "b": Decision("b", "bags", "skip"),
    }


def test_a_decision_takes_the_place_of_earlier_ones_and_can_be_taken_back(file):
    file.write_text(HEADER + "a,bags,skip,\nb,bags,keep,\na,bags,keep,\n")
    before = replace_rows(file, "a", [Decision("a", "bags", "accept", "hats")._asdict()])
    assert file.read_text() == HEADER + "b,bags,keep,\na,bags,accept,hats\n"
    assert [row["decision"] for row in before] == ["skip", "keep"]
    replace_rows(file, "a", before)
    assert file.read_text() == HEADER + "b,bags,keep,\na,bags,skip,\na,bags,keep,\n"
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_other_rows_and_columns_stay_as_they_are_whatever_is_in_them(file):
    odd = [
        '"quoted", with a comma',
        "two\r\nlines\rand more",
        "  NA ",
        "nan",
        "dé\u2028à\u0085\U0001f9e6",
    ]
    columns = ["note", *COLUMNS]
    file.write_text(",".join(columns) + "\n")
    for number, note in enumerate(odd):
        rows = [dict(zip(columns, (note, f"i{number}", f"{note}<x", "keep", ""), strict=True))]
        replace_rows(file, f"i{number}", rows)
    replace_rows(file, "another", [Decision("another", "bags", "accept", 'a "b"<c,d')._asdict()])
    names, rows = read_rows(file, COLUMNS)
    assert names == columns
    assert [row["note"] for row in rows] == [*odd, ""]
    decisions = read_decisions(file)
    assert [decisions[f"i{n}"].class_path for n in range(len(odd))] == [f"{note}<x" for note in odd]
    assert decisions["another"].new_path == 'a "b"<c,d'


def test_a_file_that_a_spreadsheet_has_saved_is_read(file):
    file.write_bytes(b"\xef\xbb\xbf" + HEADER.replace("\n", "\r\n").encode() + b"a,bags,KEEP\r\n")
    assert read_decisions(file) == {"a": Decision("a", "bags", "keep")}


def test_a_missing_file_says_what_to_write(tmp_path):
    for use in (read_decisions, lambda path: replace_rows(path, "a", [])):
        with pytest.raises(InputError) as error:
            use(tmp_path / "gone.csv")
        assert str(error.value).startswith("audit.decisions: ")
        assert "gone.csv not found; name the decisions file, or make it with" in str(error.value)
        assert str(error.value).endswith("one line item_id,class_path,decision,new_path")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no column item_id, class_path, decision, new_path; it has $"),
        (b"item_id,decision,new_path\n", "no column class_path; it has item_id, decision"),
        (
            HEADER.encode() + b"a,b,keep,\nc,d,yes,\n",
            r"row 2 \(item c\): decision 'yes' is none of",
        ),
        (HEADER.encode() + b"a,b,accept, \n", r"row 1 \(item a\): accepted, but new_path is empty"),
        (HEADER.encode() + b"a,b,c,keep,\n", "row 1 has 5 fields where the column names are 4"),
        (b"\xff\xfe", "not a readable CSV file"),
    ],
)
def test_what_is_no_decision_is_one_line_and_changes_nothing(file, content, message):
    file.write_bytes(content)
    with pytest.raises(InputError, match=f"decisions.csv: {message}") as error:
        read_decisions(file)
    assert "\n" not in str(error.value)
    assert file.read_bytes() == content


def test_a_decision_about_an_item_that_has_changed_or_gone_is_void():
    items = pd.DataFrame({"item_id": list("abcd"), "class_path": ["bags", "hats", "hats", "hats"]})
    made = [
        Decision("a", "bags", "keep"),
        Decision("b", "hats", "accept", "bags"),
        Decision("c", "bags", "keep"),
        Decision("d", "hats", "skip"),
        Decision("gone", "bags", "accept", "hats"),
    ]
    standing = what_stands({one.item_id: one for one in made}, items)
    assert standing == (frozenset("a"), frozenset("b"))


def test_a_list_with_suggestions_is_no_decisions_file():
    assert is_decisions_file([*COLUMNS, "note"], ["other_path"])
    assert not is_decisions_file([*COLUMNS, "other_path"], ["other_path"])
    assert not is_decisions_file(["item_id", "decision"], ["other_path"])
