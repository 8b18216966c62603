from datetime import date

import pyarrow as pa

from pipeline.index.changed_values import NOTHING, apply, changed_table, merge, only, with_base
from pipeline.index.changes import BASE

KINDS = {"price": pa.float64(), "sale": pa.bool_(), "day": pa.date32(), "class_path": pa.string()}
DAY = date(2024, 12, 31)


def items():
    """Some items whose columns are of several pieces, as those of a large file."""
    return pa.table(
        {
            "item_id": pa.chunked_array([["c", "x"], ["a", "b"]]),
            "price": pa.chunked_array([[1.0, 2.0, 3.0], [None]], pa.float64()),
            "sale": [True, None, False, True],
            "brand": ["Nike", None, "Puma", "Puma"],
        }
    )


def changed(values):
    names = {name for of in values.values() for name in of}
    return changed_table(values, {name: KINDS[name] for name in KINDS if name in names})


def values_of(table):
    return {row.pop("item_id"): row for row in table.to_pylist()}


def test_what_is_changed_is_new_and_all_else_stays():
    found = apply(items(), changed({"a": {"price": 9.5}, "b": {"sale": None, "price": 0.1}}))
    assert found.schema == items().schema
    before = values_of(items())
    assert values_of(found) == {
        **before,
        "a": {**before["a"], "price": 9.5},
        "b": {**before["b"], "price": 0.1, "sale": None},
    }
    assert apply(items(), NOTHING).equals(items())


def test_names_and_items_that_are_gone_and_values_of_another_kind_are_left_out():
    table = changed({"a": {"day": DAY, "price": 4.5}, "gone": {"price": 1.0}})
    assert values_of(apply(items(), table))["a"]["price"] == 4.5
    other = items().set_column(1, "price", pa.array([DAY] * 4))
    assert apply(other, table).equals(other)


def test_the_newer_value_holds_and_others_are_kept():
    older = changed({"a": {"price": 1.0, "sale": True}, "b": {"price": 2.0}})
    newer = changed({"b": {"price": None, "day": DAY}, "c": {"day": None}})
    both = merge(older, newer)
    assert values_of(both) == {
        "a": {"price": [1.0], "sale": [True], "day": None},
        "b": {"price": [None], "sale": None, "day": [DAY]},
        "c": {"price": None, "sale": None, "day": [None]},
    }
    assert merge(NOTHING, newer).equals(newer)
    assert len(merge(NOTHING, NOTHING)) == 0
    assert apply(apply(items(), older), newer).equals(apply(items(), both))


def test_some_items_can_be_taken():
    table = changed({"a": {"price": 1.0}, "b": {"price": 2.0}})
    assert only(table, ["b", "x"])["item_id"].to_pylist() == ["b"]
    assert only(table, pa.chunked_array([["a"], ["b"]])).equals(table)


def test_a_table_may_say_which_making_of_the_index_it_is_of():
    assert with_base(changed({"a": {"price": 1.0}}), "one")[BASE].to_pylist() == ["one"]
    assert with_base(NOTHING, "one") is None
