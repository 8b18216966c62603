import csv

import pandas as pd

from pipeline.files.csv_file import write_csv


def test_text_with_commas_quotes_and_accents_comes_back(tmp_path):
    rows = [("a,b", 'say "hi"'), ("Chloé", "two\nlines")]
    write_csv(tmp_path / "x.csv", pd.DataFrame(rows, columns=["text", "reason"]))
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as stream:
        assert [tuple(row) for row in csv.reader(stream)] == [("text", "reason"), *rows]


def test_no_rows_give_the_header_alone(tmp_path):
    write_csv(tmp_path / "x.csv", pd.DataFrame([], columns=["item_id", "reason"]))
    assert (tmp_path / "x.csv").read_bytes() == b"item_id,reason\n"
