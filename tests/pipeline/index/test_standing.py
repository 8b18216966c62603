from datetime import date

import pyarrow as pa
import pytest

from pipeline.index.changed_values import changed_table, with_base
from pipeline.index.changes import PICTURES, Entry
from pipeline.index.standing import describe
from tests.pipeline.index.test_changes import ITEM_IDS, rows, standing, write


@pytest.fixture
def index(tmp_path):
    return tmp_path / "index"


def test_later_changes_hold(index):
    write(
        index,
        Entry(rows(["d", "e", "a"])),
        Entry(rows(["f"], price=[4.0]), removed=["e", "b"]),
        Entry(rows(["b", "d"])),  # back again, and anew
    )
    found = standing(index)
    assert found.items["item_id"].to_pylist() == ["a", "f", "b", "d"]
    assert found.items["price"].to_pylist() == [None, 4.0, None, None]
    assert found.hidden == {"a", "b", "d", "e", "f"}
    assert found.removed == {"e"}
    assert describe(found, ITEM_IDS) == ("2 added, 2 replaced since it was made of 3 items")


def test_what_an_index_is_made_of_since_is_right(index):
    write(
        index,
        Entry(rows(["a", "d", "e", "f"], sku=[None, 9, 2, None]), removed=["c"]),
        key="sku",
    )
    assert standing(index).items["item_id"].to_pylist() == ["a", "d", "e", "f"]
    later = standing(index, base="two")
    # `a` is of the catalogue, and so is the article of `e`; `c` is still to be out.
    assert later.items["item_id"].to_pylist() == ["d", "f"]
    assert later.hidden == {"c", "d", "f"}
    assert later.superseded == 2
    assert describe(later, ITEM_IDS).endswith("; 2 that were added before are of the catalogue now")


def test_items_are_found_without_an_attribute_that_has_become_of_another_kind(index):
    write(index, Entry(rows(["d"], price=["cheap"])), Entry(rows(["e"], price=[7])))
    found = standing(index).items
    assert found["item_id"].to_pylist() == ["d", "e"]
    assert found["price"].to_pylist() == [None, 7.0]


def test_items_that_an_earlier_version_added_have_no_list_of_pictures(index):
    write(index, Entry(rows(["d"])), Entry(rows(["e"], **{PICTURES: ["a.jpg\nb.jpg"]})))
    found = standing(index).items
    assert found[PICTURES].to_pylist() == [None, "a.jpg\nb.jpg"]


def test_an_item_has_the_features_of_the_entry_that_it_is_of(index):
    write(index, Entry(rows(["d", "e"])), Entry(rows(["e"])), Entry(rows(["f"]), removed=["d"]))
    assert standing(index).entry_of == {"e": 1, "f": 2}


def new_prices(base="one", **price_of):
    values = {item_id: {"price": price} for item_id, price in price_of.items()}
    return with_base(changed_table(values, {"price": pa.float64()}), base)


def test_values_are_changed_in_place_until_the_item_is_replaced(index):
    write(
        index,
        Entry(rows(["d", "e"], price=[1.0, 1.0])),
        Entry(rows([]), changed=new_prices(a=5.0, b=6.0, c=None, d=7.0, e=8.0)),
        Entry(rows(["e", "b"], price=[2.0, 2.0]), removed=["c"]),
        Entry(rows([]), changed=new_prices(a=5.5, gone=1.0)),
    )
    found = standing(index)
    assert found.items.select(["item_id", "price"]).to_pylist() == [
        {"item_id": "d", "price": 7.0},
        {"item_id": "e", "price": 2.0},
        {"item_id": "b", "price": 2.0},
    ]
    assert found.changed.to_pylist() == [{"item_id": "a", "price": [5.5]}]
    assert describe(found, ITEM_IDS) == (
        "2 added, 1 replaced, 1 removed, 1 changed in place since it was made of 3 items"
    )
    assert len(found.removals().changed) == 0


def test_a_value_of_an_index_that_was_made_anew_is_the_catalogues(index):
    write(index, Entry(rows(["d"])), Entry(rows([]), changed=new_prices(a=5.0, d=7.0)))
    later = standing(index, base="two")
    assert len(later.changed) == 0
    assert later.items["price"].to_pylist() == [7.0], "an added item is no catalogue's"


def test_a_value_of_another_making_may_have_been_of_another_kind(index):
    flags = changed_table({"a": {"price": True}}, {"price": pa.bool_()})
    write(
        index,
        Entry(rows([]), changed=with_base(flags, "old")),
        Entry(
            rows([]),
            changed=with_base(
                changed_table({"a": {"price": date(2026, 1, 2)}}, {"price": pa.date32()}), "one"
            ),
        ),
    )
    assert standing(index).changed.to_pylist() == [{"item_id": "a", "price": [date(2026, 1, 2)]}]
