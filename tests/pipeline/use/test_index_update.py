import csv
import json

import numpy as np
import pytest

from huse import Huse
from pipeline.index.stored_index import load_index
from pipeline.use.index_changes import read_state
from pipeline.use.index_items import RowValues
from pipeline.use.index_update import Update
from pipeline.use.new_items import NewItem

PICTURES = "data/raw/openmoji/images"


@pytest.fixture
def shop(kept_project, tmp_path):
    """A finished project of the test's own, whose table has attributes; its prices are unique."""
    return kept_project.copy(tmp_path / "shop")


def load(project):
    data = project.root / "data"
    return load_index(data / "index", model=data / "model", warn=pytest.fail)


def update(project, table, *options):
    (project.root / "new.csv").write_text(table, encoding="utf-8")
    result = project.huse("index", "update", "new.csv", "--key", "price", *options)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return result.stdout


def reasons(project):
    with (project.root / "new_rejected.csv").open(encoding="utf-8", newline="") as file:
        return {int(row["row"]): row["reason"] for row in csv.DictReader(file)}


def items_of(index):
    """What a search may find, by price."""
    found = {}
    for row in index.rows.tolist():
        item = index.table.slice(row, 1).to_pylist()[0]
        attributes = index.attributes.slice(row, 1).to_pylist()[0]
        found[attributes["price"]] = item | attributes
    return found


def changes(project):
    return project.huse("index", "changes").stdout


def test_a_table_of_some_attributes_changes_these_alone(shop, monkeypatch):
    before = load(shop)
    was = items_of(before)
    table = "price,brand,sale\n3.50,Lidl,\n4.50,,true\n3.5,again,\n7000,none,\n,x,\n5.5,x,perhaps\n"
    with monkeypatch.context() as without:  # Neither picture nor text is looked at.
        without.setattr(Huse, "read_features", None)
        said = update(shop, table)
    assert said == (
        "index: no items added, 0 replaced, 2 changed in place; 4 rows rejected, see "
        "new_rejected.csv\n"
    )
    assert reasons(shop) == {
        3: "the same item as row 1",
        4: "price 7000 is no item's; a new one needs a picture or a text",
        5: "names no item; a new one needs a picture or a text",
        6: "sale is 'perhaps', and of the catalogue's kind true or false",
    }
    index = load(shop)
    assert items_of(index) == was | {
        3.5: was[3.5] | {"brand": "Lidl", "sale": None},
        4.5: was[4.5] | {"brand": None, "sale": True},
    }
    rows = np.arange(len(index))
    assert len(index.table) == len(before.table)
    assert np.array_equal(index.vectors(rows), before.vectors(rows))
    assert "index: 2 changed in place since" in changes(shop)
    # What was changed is searched by, and outlives putting all changes together.
    for command in (["changes"], ["compact"]):
        assert shop.huse("index", *command).exit_code == 0
        result = shop.huse("search", "face", "--where", "brand == 'Lidl'", "--json")
        (hit,) = json.loads(result.stdout)["hits"]
        assert hit["item_id"] == was[3.5]["item_id"]


def test_later_changes_add_to_earlier_ones_and_an_added_item_is_changed_too(shop):
    was = items_of(load(shop))
    update(shop, "price,brand,text\n7000,Aldi,zyzzyva\n")
    update(shop, "price,brand\n3.50,Lidl\n7000,Lidl\n")
    said = update(shop, "price,sale\n3.50,true\n7000,true\n")
    assert "2 changed in place" in said
    now = items_of(load(shop))
    assert now[3.5] == was[3.5] | {"brand": "Lidl", "sale": True}
    assert (now[7000.0]["brand"], now[7000.0]["sale"]) == ("Lidl", True)
    assert shop.huse("index", "compact").exit_code == 0
    assert items_of(load(shop)) == now


def test_a_table_of_class_paths_files_items_elsewhere(shop):
    was = items_of(load(shop))
    update(shop, "price,classes\n3.50, Own <  new\n4.50,\n5.50,a<<b\n")
    assert reasons(shop) == {3: "class path has an empty part"}
    now = items_of(load(shop))
    assert now == was | {3.5: was[3.5] | {"class_path": "Own<new"}}
    (hit,) = json.loads(shop.huse("search", "face", "--in", "Own", "--json").stdout)["hits"]
    assert hit["item_id"] == was[3.5]["item_id"]


def test_a_new_text_is_embedded_with_the_picture_that_is_there(shop):
    was = items_of(load(shop))
    same = was[4.5]["text"]
    said = update(shop, f'text,price,sale\nwholly renamed,3.50,true\n"{same}",4.50,true\n')
    assert said.startswith("index: no items added, 1 replaced, 1 changed in place; no rows")
    index = load(shop)
    now = items_of(index)
    changed = now.pop(3.5)
    assert changed | {"item_id": "", "x": 0, "y": 0, "split": ""} == was.pop(3.5) | {
        "item_id": "",
        "text": "wholly renamed",
        "sale": True,
        "x": 0,
        "y": 0,
        "split": "",
    }
    assert now == was | {4.5: was[4.5] | {"sale": True}}
    picture = shop.root / PICTURES / changed["image"]
    v = Huse.load(shop.root / "data/model").embed([picture], ["wholly renamed"])
    assert index.search(v.fused_ND, 1)[0][0].distance == pytest.approx(0, abs=1e-5)


def test_a_new_picture_is_embedded_with_the_text_that_is_there(shop):
    was = items_of(load(shop))
    image = was[9.5]["image"]
    update(shop, f"image,price\n{image},3.50\n", "--images", PICTURES)
    now = items_of(load(shop))[3.5]
    assert now["image"] == image
    for name in ("text", "class_path", "brand", "sale"):
        assert now[name] == was[3.5][name]


def test_a_picture_from_elsewhere_is_not_at_hand_for_a_new_text(shop):
    was = items_of(load(shop))
    (shop.root / "here.png").write_bytes((shop.root / PICTURES / was[9.5]["image"]).read_bytes())
    update(shop, "image,text,price\nhere.png,zyzzyva,7000\n,a second one,7001\n")
    table = "text,price\nother,7000\nthird,7001\n,7001.0\n"
    assert "no items added, 1 replaced; 2 rows rejected" in update(shop, table)
    assert reasons(shop) == {
        1: "its picture is not in the catalogue's folder; name it as well",
        3: "the same item as row 2",
    }


def test_what_several_items_share_names_all_for_an_attribute_and_none_for_a_text(shop):
    state = read_state(shop.root / "data/index", shop.root / "data/model", "brand")
    nike = state.ids_of(["Nike"])["Nike"]
    said = RowValues(["brand", "sale"], {1: ["", "Nike", "false"]}, frozenset())
    partly = Update(state, said, shop.root / "new.csv")
    assert partly.change_all() == []
    assert set(partly.changed["item_id"].to_pylist()) == nike
    assert partly.changed.column_names == ["item_id", "sale"]
    partly = Update(state, said._replace(has=frozenset({"text"})), shop.root / "new.csv")
    with pytest.raises(Exception, match=f"{len(nike)} items have the brand Nike; name one of them"):
        partly.complete(NewItem(1, "", "other"))


def test_tables_that_can_change_nothing_are_told(shop):
    (shop.root / "new.csv").write_text("brand,sale\nLidl,true\n", encoding="utf-8")
    assert shop.refuse("index", "update", "new.csv") == (
        "new.csv: no column of pictures or texts, and none of a key; name the column that names "
        "its items with --key"
    )
    (shop.root / "new.csv").write_text("price,colour\n3.5,red\n", encoding="utf-8")
    assert "no column beside price that the index knows" in shop.refuse(
        "index", "update", "new.csv", "--key", "price"
    )
    (shop.root / "new.csv").write_text("price,brand\n7000,x\n", encoding="utf-8")
    assert shop.refuse("index", "update", "new.csv", "--key", "price") == (
        "new.csv: no row can be used; the reasons are in new_rejected.csv"
    )
    assert not (shop.root / "data/index_changes/changes.json").exists()


def test_a_row_without_a_key_is_new_where_all_others_are_changed_in_place(shop):
    was = items_of(load(shop))
    table = f"price,text,brand\n3.5,{was[3.5]['text']},Lidl\n,a wholly new one,Own\n"
    assert update(shop, table) == (
        "index: 1 item added, 0 replaced, 1 changed in place, 1 of them in the most probable "
        "class, as their rows have none; no rows rejected\n"
    )
    assert items_of(load(shop))[3.5]["brand"] == "Lidl"


def test_what_takes_the_place_of_several_items_keeps_their_class(shop):
    state = read_state(shop.root / "data/index", shop.root / "data/model", "brand")
    nike = state.ids_of(["Nike"])["Nike"]
    said = RowValues(["brand"], {1: ["", "Nike"]}, frozenset({"image", "text"}))
    item = Update(state, said, shop.root / "new.csv").complete(NewItem(1, "a.png", "other"))
    assert item == NewItem(1, "a.png", "other")
    table = load(shop).table
    paths = dict(zip(table["item_id"].to_pylist(), table["class_path"].to_pylist(), strict=True))
    assert said.values[1][0] == paths[min(nike)]


@pytest.mark.parametrize("option", ["image", "text", "classes"])
def test_a_named_column_that_the_table_lacks_is_told(shop, option):
    (shop.root / "new.csv").write_text("price,brand\n3.5,Lidl\n", encoding="utf-8")
    named = ("--key", "price", f"--{option}-column", "titel")
    assert shop.refuse("index", "update", "new.csv", *named).startswith(
        f"--{option}-column: no column 'titel' in new.csv"
    )


def test_a_row_that_cannot_be_read_changes_nothing(shop):
    before = items_of(load(shop))
    update(shop, "price,brand\n3.5,Lidl,too much\n4.5,Lidl\n")
    assert reasons(shop) == {1: "3 fields where the column names are 2"}
    assert items_of(load(shop))[3.5] == before[3.5]
