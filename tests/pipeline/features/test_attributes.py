import datetime
import json
from decimal import Decimal

import pyarrow as pa
import pytest

from pipeline.core.errors import InputError
from pipeline.features.attributes import (
    json_value,
    kind_of,
    read_attributes,
    show_value,
    write_attributes,
)


def test_attributes_come_back_in_the_order_of_the_items(tmp_path):
    table = pa.table({"item_id": ["a", "b", "c"], "price": [1.5, None, 3.0]})
    write_attributes(tmp_path / "attributes.parquet", table)
    read = read_attributes(tmp_path / "attributes.parquet", ["c", "a"])
    assert read.to_pydict() == {"item_id": ["c", "a"], "price": [3.0, 1.5]}
    with pytest.raises(InputError, match=r"attributes\.parquet: item d is not in it; run huse cat"):
        read_attributes(tmp_path / "attributes.parquet", ["a", "d"])
    with pytest.raises(InputError, match="not found"):
        read_attributes(tmp_path / "nowhere.parquet", ["a"])


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("integer", pa.array([1], pa.uint8())),
        ("number", pa.array([1], pa.float32())),
        ("number", pa.array([Decimal("1.5")])),
        ("true or false", pa.array([True])),
        ("date", pa.array([datetime.date(2024, 1, 1)])),
        ("time", pa.array([datetime.datetime(2024, 1, 1)])),
        ("text", pa.array(["a"], pa.large_string())),
        (None, pa.array([["a"]])),
        (None, pa.array([b"a"])),
    ],
)
def test_values_are_of_a_kind(kind, values):
    assert kind_of(values) == kind


def test_values_are_written_for_people_and_programs():
    values = [None, True, 12.5, Decimal("9.90"), datetime.date(2024, 1, 2), "Nike"]
    assert list(map(show_value, values)) == ["", "true", "12.5", "9.90", "2024-01-02", "Nike"]
    written = json.dumps(values, default=json_value)
    assert json.loads(written) == [None, True, 12.5, 9.9, "2024-01-02", "Nike"]
    with pytest.raises(TypeError):
        json_value(object())
