import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.core.table import open_parquet, read_metadata, read_table, write_table

FRAME = pd.DataFrame({"item_id": ["b", "a"], "text": ["Chloé & co", ""], "n": [1, 2]}, index=[7, 9])


def test_columns_come_back_in_the_order_asked_for(tmp_path):
    write_table(tmp_path / "x.parquet", FRAME)
    table = read_table(tmp_path / "x.parquet", ["text", "item_id"])
    assert list(table.columns) == ["text", "item_id"]
    assert table.to_dict("list") == {"text": ["Chloé & co", ""], "item_id": ["b", "a"]}
    assert list(table.index) == [0, 1]


def test_the_same_rows_give_the_same_bytes(tmp_path):
    for name, frame in (("a", FRAME), ("b", FRAME.reset_index(drop=True))):
        write_table(tmp_path / name, frame, {"recipe": "letters"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_metadata_holds_what_was_given_and_no_more(tmp_path):
    write_table(tmp_path / "x.parquet", FRAME, {"recipe": "letters", "fold": "true"})
    assert read_metadata(tmp_path / "x.parquet") == {"recipe": "letters", "fold": "true"}
    write_table(tmp_path / "y.parquet", FRAME)
    assert read_metadata(tmp_path / "y.parquet") == {}


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path):
    write_table(tmp_path / "x.parquet", FRAME)
    with pytest.raises(InputError, match=r"no column label, split; it has item_id, text, n$"):
        read_table(tmp_path / "x.parquet", ["item_id", "label", "split"])


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match=r"x\.parquet: not found; run the stage that makes it"):
        read_table(tmp_path / "x.parquet", ["item_id"])


def test_a_damaged_file_is_named(tmp_path):
    write_table(tmp_path / "x.parquet", FRAME)
    whole = (tmp_path / "x.parquet").read_bytes()
    for content in (b"", b"item_id,text\n", whole[:-20]):
        (tmp_path / "x.parquet").write_bytes(content)
        with pytest.raises(InputError, match=r"x\.parquet: not a readable Parquet file"):
            open_parquet(tmp_path / "x.parquet", [])
    with pytest.raises(InputError, match="not a readable Parquet file"):
        open_parquet(tmp_path, [])
