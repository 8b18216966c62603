"""An open page, and what is changed beside it."""

import re
import shutil
from html import unescape

import numpy as np
import pytest
from PIL import Image

from huse import Huse
from pipeline.core.json_file import read_json, write_json
from pipeline.explore.side import Side
from pipeline.index.build import build_index
from pipeline.index.catalog_index import CatalogIndex
from pipeline.index.hit import Hit
from pipeline.index.stored_index import load_index, save_index
from pipeline.index.vector_index import VectorIndex
from pipeline.index.words import WordIndex
from pipeline.use.current import Stored
from pipeline.web.pictures import Pictures, picture_name
from tests.pipeline.explore.test_server import shown

IMAGES = "data/raw/openmoji/images"


@pytest.fixture
def shop(kept_project, tmp_path):
    """A finished project of the test's own, whose table has attributes."""
    return kept_project.copy(tmp_path / "shop")


@pytest.fixture
def stored(shop):
    return Stored(shop.root / "data/model", shop.root / "data/index")


@pytest.fixture
def items(stored):
    """The items of its index."""
    return Huse.load(stored.model, stored.index).index.items


@pytest.fixture
def told():
    """What the page has warned of."""
    return []


@pytest.fixture
def page(shop, stored, visit, told):
    return visit(shop.root / IMAGES, Huse.load(stored.model, stored.index), warn=told.append)


def run(project, *arguments):
    result = project.huse(*arguments)
    assert result.exit_code == 0, result.output


def change(project, command, rows, *options):
    (project.root / "new.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    run(project, "index", command, "new.csv", "--images", IMAGES, *options)


def pictures(html):
    """Names of the pictures that are shown."""
    return re.findall(r'src="(picture/[^"]*)"', html)


def test_a_hit_is_shown_by_the_best_of_its_pictures(explorer, picture_folder):
    pictures = Pictures(picture_folder, ["0.png", "1.png", "2.png"], side=8, background="#ffffff")
    side = Side("a", explorer, pictures)
    hit = Hit(1, "i1", "1.png", "", "bags", 0.1)
    assert side.picture(hit) == picture_name(1, "1.png")
    assert side.picture(hit._replace(picture=2)) == picture_name(2, "2.png")


def test_added_items_are_found_at_once(page, shop, items, told):
    assert shown(page.get("/", params={"class": "Own"}).text) == []
    before = page.get("/points").json()
    image = items["image"].iloc[3]
    row = f'{image},zyzzyva quux,Own<new,77.5,"Acme, Inc."'
    change(shop, "add", ["image,text,classes,price,brand", row])
    html = page.get("/", params={"class": "Own"}).text
    assert "<h3>zyzzyva quux</h3>" in html
    assert "1 of 1 items" in html
    for name in pictures(html):
        assert page.get(f"/{name}").content == page.get(f"/{names(page, items)[3]}").content
    assert "Own<new" in page.get("/classes").json()
    assert 'value="Acme, Inc."' in unescape(page.get("/").text)
    assert len(shown(page.get("/", params={"where": "price == 77.5"}).text)) == 2
    assert page.get("/points").json() == before, "they have no place on the map"
    assert told == []


def names(page, items):
    """Names of the pictures of items, by their rows."""
    html = page.get("/", params={"k": "96"}).text
    row_of = {item_id: row for row, item_id in enumerate(items["item_id"])}
    return {
        row_of[item_id]: name for item_id, name in zip(shown(html), pictures(html), strict=True)
    }


def test_an_item_that_was_removed_is_gone_with_its_picture(page, shop, items, told):
    name = names(page, items)[3]
    assert page.get(f"/{name}").status_code == 200
    (shop.root / "gone.txt").write_text(f"{items['item_id'].iloc[3]}\n")
    run(shop, "index", "remove", "gone.txt")
    assert page.get(f"/{name}").status_code == 404
    assert items["item_id"].iloc[3] not in shown(page.get("/", params={"k": "96"}).text)
    assert len(page.get("/points").json()["points"]) == len(items) - 1
    assert "There is no item" in page.get("/", params={"like": items["item_id"].iloc[3]}).text
    assert told == []


def test_an_item_that_was_changed_is_shown_as_it_is_now(page, shop, items, told):
    where = {"where": "price == 3.5"}
    (before,) = shown(page.get("/", params=where).text)
    change(shop, "update", ["price,brand,classes", "3.50,Acme,Own<new"], "--key", "price")
    html = page.get("/", params=where).text
    assert shown(html) == [before]
    assert "<dd>Acme</dd>" in html
    assert shown(page.get("/", params={"class": "Own<new"}).text) == [before]
    assert shown(page.get("/", params={"is.brand": "Acme"}).text) == [before]
    assert told == []


def test_another_picture_of_the_same_name_is_drawn_anew(page, shop, items):
    where = {"where": "price == 3.5"}
    (name,) = pictures(page.get("/", params=where).text)
    before = page.get(f"/{name}").content
    image = items.set_index("item_id").loc[shown(page.get("/", params=where).text)[0], "image"]
    Image.new("RGB", (72, 72), "purple").save(shop.root / IMAGES / image)
    change(shop, "update", ["price,image", f"3.50,{image}"], "--key", "price")
    (name,) = pictures(page.get("/", params=where).text)
    assert page.get(f"/{name}").content != before


def test_classes_that_are_added_and_removed_are_in_the_menu_and_out_of_it(page, shop, told):
    path = "gadgets<red heart"
    assert path not in page.get("/classes").json()
    run(shop, "add-class", path)
    assert path in page.get("/classes").json()
    assert 'class="warning">no item' not in page.get("/", params={"class": "gadgets"}).text
    assert ">gadgets</a>" in page.get("/").text
    run(shop, "add-class", "--remove", path)
    assert path not in page.get("/classes").json()
    assert ">gadgets</a>" not in page.get("/").text
    assert told == []


def make_again(stored, rows):
    """Make the index of some items, in that order."""
    whole = load_index(stored.index, model=stored.model, warn=pytest.fail)
    table = whole.table.take(rows)
    index = VectorIndex(build_index(whole.vectors(rows), None))
    words = WordIndex.build(table["text"].to_pylist())
    keys = ("modality", "separator", "near", "kind", "words")
    description = {key: whole.description[key] for key in keys if key in whole.description}
    attributes = whole.attributes.take(rows)
    made = CatalogIndex(index, table, description, words, attributes)
    save_index(made, stored.index, model=stored.model)


def test_no_address_of_an_older_page_shows_another_item(page, stored, items, told):
    before = {page.get(f"/{name}").content: name for name in names(page, items).values()}
    assert len(before) > 50, "pictures differ"
    make_again(stored, np.arange(len(items))[::-1])
    assert [name for name in before.values() if page.get(f"/{name}").status_code == 200] == []
    after = page.get("/", params={"k": "96"}).text
    assert shown(after) == items["item_id"].tolist()[::-1][:96]
    make_again(stored, np.arange(len(items))[::-1])
    there = {name: page.get(f"/{name}") for name in before.values()}
    for content, name in before.items():
        assert there[name].status_code == 200
        assert there[name].content == content
    assert told == []


def test_the_page_goes_on_as_it_was_while_the_index_is_replaced(page, shop, stored, items, told):
    asked = {"q": "heart", "k": "6", "where": "price < 90"}
    before = page.get("/", params=asked).text
    aside = stored.index.with_name("aside")
    stored.index.rename(aside)
    for _ in range(3):
        assert page.get("/", params=asked).text == before
    for name in pictures(before):
        assert page.get(f"/{name}").status_code == 200
    (line,) = told
    assert line.startswith(f"model 1 is shown as it was: {stored.index}: no index here; ")
    # Files of a folder that is copied come in any order, and are not whole at first.
    stored.index.mkdir()
    shutil.copy(aside / "index.json", stored.index)
    assert page.get("/", params=asked).text == before
    half = (aside / "items.parquet").read_bytes()
    (stored.index / "items.parquet").write_bytes(half[: len(half) // 2])
    assert page.get("/", params=asked).text == before
    assert len(told) > 1
    assert all(one.startswith("model 1 is shown as it was: ") for one in told)
    shutil.rmtree(stored.index)
    aside.rename(stored.index)
    make_again(stored, np.arange(len(items) - 1))
    told.clear()
    assert len(page.get("/points").json()["points"]) == len(items) - 1
    assert told == []


def test_a_change_that_is_half_written_is_told_once_and_taken_when_it_is_whole(
    page, shop, stored, told
):
    change(shop, "add", ["image,text,classes", ",zyzzyva quux,Own<new"])
    changes = stored.index.with_name("index_changes") / "changes.json"
    whole = changes.read_bytes()
    changes.write_bytes(whole[:-20])
    for _ in range(3):
        assert "Own<new" not in page.get("/classes").json()
    (line,) = told
    assert line.startswith(f"model 1 is shown as it was: {changes}: not valid JSON")
    changes.write_bytes(whole)
    assert "Own<new" in page.get("/classes").json()
    assert len(told) == 1


def test_a_model_that_is_trained_again_takes_over_when_its_index_is_there(page, stored, told):
    text = {"q": "heart"}
    before = page.get("/", params=text).text
    shutil.move(stored.model, stored.model.with_name("aside"))
    assert page.get("/", params=text).text == before
    shutil.move(stored.model.with_name("aside"), stored.model)
    described = read_json(stored.index / "index.json")
    write_json(stored.index / "index.json", {**described, "model": "another"})
    assert page.get("/", params=text).text == before
    assert len(told) == 2
    assert "made by another model" in told[1]


def test_of_two_models_one_follows_its_files_though_the_other_is_gone(
    shop, stored, items, other, visit, tmp_path, told
):
    beside = tmp_path / "other"
    shutil.copytree(other.folder, beside / "model")
    shutil.copytree(other.index_folder, beside / "index")
    models = Huse.load(stored.model, stored.index), Huse.load(beside / "model")
    both = visit(shop.root / IMAGES, *models, warn=told.append)
    shutil.rmtree(beside / "index")
    (shop.root / "gone.txt").write_text(items["item_id"].iloc[0])
    run(shop, "index", "remove", "gone.txt")
    assert len(both.get("/points").json()["points"]) == len(items) - 1
    assert len(shown(both.get("/compare", params={"q": "heart", "k": "4"}).text)) == 8
    (line,) = told
    assert line.startswith("model 2 is shown as it was: ")
