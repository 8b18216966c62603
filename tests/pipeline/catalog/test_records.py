import json
from functools import partial
from io import StringIO
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.catalog.records import read_json_lines, read_parquet
from pipeline.catalog.rows import Source
from pipeline.core.errors import InputError

WANTED = {"image": "image", "text": "name", "classes": "classes"}


def from_json(*lines):
    text = partial(StringIO, "\n".join(lines))
    rows = read_json_lines(Path("x.jsonl"), text, wanted=WANTED, source=Source())
    return [tuple(row) for row in rows]


def from_parquet(path, columns, wanted=WANTED):
    pq.write_table(pa.table(columns), path)
    return [tuple(row) for row in read_parquet(path, wanted=wanted, source=Source())]


def line(image, name, classes="bags", **more):
    return json.dumps({"image": image, "name": name, "classes": classes, **more})


def test_json_values_become_strings_and_missing_ones_empty():
    assert from_json(
        line(1163, "Chloé bag"),
        line("2.jpg", None, id=[1]),
        "",
        '{"image": 3.5, "name": "a\u2028b"}\r',
    ) == [
        (1, ["1163", "Chloé bag", "bags"], ""),
        (2, ["2.jpg", "", "bags"], ""),
        (4, ["3.5", "a\u2028b", ""], ""),
    ]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (["Bag"], "wrong type: text is list, not text"),
        ({"en": "Bag"}, "wrong type: text is dict, not text"),
        (True, "wrong type: text is bool, not text"),
        ("\ud800", "text holds half a character"),
    ],
)
def test_json_values_that_are_no_text_spoil_their_row_only(value, reason):
    rows = from_json(line("1.jpg", value), line("2.jpg", "Boot"))
    assert rows[0][2] == reason
    assert rows[1] == (2, ["2.jpg", "Boot", "bags"], "")


@pytest.mark.parametrize("broken", ['{"image": "2.jpg"', "2.jpg,Boot", "9" * 5000, "[" * 100_000])
def test_a_line_that_is_not_json_stops_and_is_named(broken):
    with pytest.raises(InputError, match=r"x\.jsonl: line 2 is not JSON"):
        from_json(line("1.jpg", "Bag"), broken)


def test_a_line_that_is_not_an_object_stops():
    with pytest.raises(InputError, match="line 1 is not a JSON object but list"):
        from_json('["1.jpg", "Bag", "bags"]')


def test_a_key_that_no_line_has_is_a_missing_column():
    with pytest.raises(InputError, match=r"catalog\.columns\.classes: no column 'classes'.*image"):
        from_json('{"image": "1.jpg", "name": "Bag"}')


def test_parquet_numbers_become_strings_and_missing_values_empty(tmp_path):
    columns = {
        "image": pa.array([1163, None], pa.int64()),
        "name": pa.array(["aeydē boot", None]).dictionary_encode(),
        "classes": pa.array([7.0, float("nan")]),
        "other": pa.array([[1], [2]]),
    }
    assert from_parquet(tmp_path / "x.parquet", columns) == [
        (1, ["1163", "aeydē boot", "7"], ""),
        (2, ["", "", ""], ""),
    ]


def test_integers_that_pandas_stored_as_floats_are_integers_again(tmp_path):
    frame = pd.DataFrame({"image": [1163, None], "name": ["a", "b"], "classes": ["x", "y"]})
    frame.to_parquet(tmp_path / "x.parquet")
    rows = list(read_parquet(tmp_path / "x.parquet", wanted=WANTED, source=Source()))
    assert [row.values[0] for row in rows] == ["1163", ""]


def test_parquet_lists_spoil_their_rows(tmp_path):
    columns = {"image": ["1.jpg"], "name": [["Bag"]], "classes": ["bags"]}
    assert from_parquet(tmp_path / "x.parquet", columns) == [
        (1, ["1.jpg", "['Bag']", "bags"], "wrong type: text is list, not text")
    ]


def test_one_parquet_column_may_serve_two_roles(tmp_path):
    wanted = {"image": "image", "text": "name", "classes": "name"}
    rows = from_parquet(tmp_path / "x.pq", {"image": ["1.jpg"], "name": ["Bag"]}, wanted)
    assert rows == [(1, ["1.jpg", "Bag", "Bag"], "")]


def test_a_missing_parquet_column_is_named(tmp_path):
    with pytest.raises(InputError, match=r"catalog\.columns\.text: no column 'name'"):
        from_parquet(tmp_path / "x.parquet", {"image": ["1.jpg"], "classes": ["bags"]})


@pytest.mark.parametrize("keep", [0, 20, -20])
def test_a_damaged_parquet_file_is_refused(tmp_path, keep):
    path = tmp_path / "x.parquet"
    from_parquet(path, {"image": ["1.jpg"], "name": ["Bag"], "classes": ["bags"]})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match="not a readable Parquet file"):
        list(read_parquet(path, wanted=WANTED, source=Source()))


def test_parquet_text_that_is_not_utf8_is_refused(tmp_path):
    broken = pa.array([b"\xff"]).view(pa.string())
    with pytest.raises(InputError, match="not a readable Parquet file"):
        from_parquet(tmp_path / "x.parquet", {"image": broken, "name": ["a"], "classes": ["b"]})


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_column_that_may_be_missing_is_empty(tmp_path, ending):
    wanted = {"image": "image", "text": "name"}
    source = Source(optional=frozenset(wanted))
    path = tmp_path / f"x.{ending}"
    if ending == "jsonl":
        text = partial(StringIO, '{"name": "Bag"}\n')
        rows = read_json_lines(path, text, wanted=wanted, source=source)
    else:
        pq.write_table(pa.table({"name": ["Bag"]}), path)
        rows = read_parquet(path, wanted=wanted, source=source)
    assert [tuple(row) for row in rows] == [(1, ["", "Bag"], "")]
