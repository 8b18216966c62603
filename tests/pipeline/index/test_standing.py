import pytest

from pipeline.index.changes import Entry
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
    assert describe(found, ITEM_IDS) == (
        "2 added, 2 replaced, 0 removed since it was made of 3 items"
    )


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


def test_an_item_has_the_features_of_the_entry_that_it_is_of(index):
    write(index, Entry(rows(["d", "e"])), Entry(rows(["e"])), Entry(rows(["f"]), removed=["d"]))
    assert standing(index).entry_of == {"e": 1, "f": 2}
