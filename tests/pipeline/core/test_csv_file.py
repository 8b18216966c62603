import csv

import pandas as pd
import pytest

from pipeline.core.csv_file import csv_writer, read_csv, read_records, write_csv
from pipeline.core.errors import InputError


def test_text_with_commas_quotes_and_accents_comes_back(tmp_path):
    rows = [("a,b", 'say "hi"'), ("Chloé", "two\nlines")]
    write_csv(tmp_path / "x.csv", pd.DataFrame(rows, columns=["text", "reason"]))
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as stream:
        assert [tuple(row) for row in csv.reader(stream)] == [("text", "reason"), *rows]


def test_no_rows_give_the_header_alone(tmp_path):
    write_csv(tmp_path / "x.csv", pd.DataFrame([], columns=["item_id", "reason"]))
    assert (tmp_path / "x.csv").read_bytes() == b"item_id,reason\n"


def test_rows_written_a_few_at_a_time_come_back(tmp_path):
    rows = [(1, 'say "hi"', "Chloé"), (2, "two\nlines", ""), (3, "a,b", "x")]
    with csv_writer(tmp_path / "new" / "x.csv", ["row", "text", "reason"]) as write:
        write(rows[:1])
        write([])
        write(rows[1:])
    frame = pd.read_csv(tmp_path / "new" / "x.csv", keep_default_na=False)
    assert list(frame.itertuples(index=False, name=None)) == rows


def test_an_interrupted_file_is_not_written(tmp_path):
    def interrupted():
        with csv_writer(tmp_path / "x.csv", ["row"]) as write:
            write([(1,)])
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_what_was_written_is_read_as_it_is(tmp_path):
    (tmp_path / "x.csv").write_text("item_id,text\n0017,NA\n2,\n")
    found = read_csv(tmp_path / "x.csv", ["item_id"], "huse catalog")
    assert found.to_numpy().tolist() == [["0017", "NA"], ["2", ""]]


def test_what_people_write_in_is_read_row_by_row(tmp_path):
    (tmp_path / "x.csv").write_text('id,text,note\n0017,"two\nlines"\n\n2,NA,x\n', "utf-8-sig")
    names, rows = read_records(tmp_path / "x.csv", ["id", "text"])
    assert names == ["id", "text", "note"]
    assert rows == [
        {"id": "0017", "text": "two\nlines", "note": ""},
        {"id": "2", "text": "NA", "note": "x"},
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "not found"),
        (b"\xff\xfe", "not a readable CSV file"),
        (b"id\n", "no column text; it has id"),
        (b"id,text,note,note\n1,a,,b\n", "two columns are called 'note'; rename one of them"),
        (b"id,text\n1,a,b\n", "row 1 has 3 fields where the column names are 2"),
    ],
)
def test_a_file_that_cannot_be_read_row_by_row_is_named(tmp_path, content, message):
    path = tmp_path / "x.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=rf"x\.csv: {message}"):
        read_records(path, ["id", "text"])


@pytest.mark.parametrize("text", ["a\rb", "a\r\nb", "\r", "a\nb\r\n", "long " * 30_000])
def test_a_text_is_one_field_whatever_ends_its_lines(tmp_path, text):
    write_csv(tmp_path / "x.csv", pd.DataFrame({"id": ["1"], "text": [text]}))
    with csv_writer(tmp_path / "y.csv", ["id", "text"]) as write:
        write([("1", text)])
    assert (tmp_path / "x.csv").read_bytes() == (tmp_path / "y.csv").read_bytes()
    assert (tmp_path / "x.csv").read_bytes().startswith(b"id,text\n1,")
    assert read_records(tmp_path / "x.csv", ["id"])[1] == [{"id": "1", "text": text}]
    assert read_csv(tmp_path / "x.csv", ["id"], "huse catalog")["text"].tolist() == [text]


def test_columns_of_one_name_are_one_where_the_others_are_empty(tmp_path):
    (tmp_path / "x.csv").write_text("id,note,,note,\n1,first,,,\n2\n")
    names, rows = read_records(tmp_path / "x.csv", ["id"])
    assert names == ["id", "note", ""]
    assert rows == [{"id": "1", "note": "first", "": ""}, {"id": "2", "note": "", "": ""}]
