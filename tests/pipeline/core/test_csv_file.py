import csv

import pandas as pd
import pytest

from pipeline.core.csv_file import csv_writer, read_csv, write_csv


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
