import csv
import json
import shutil

import numpy as np
import pytest

from huse import Huse
from pipeline.index.build import build_index
from pipeline.index.catalog_index import CatalogIndex
from pipeline.index.stored_index import load_index, save_index
from pipeline.index.vector_index import VectorIndex
from pipeline.index.words import WordIndex
from stages.__main__ import STAGES

PICTURES = "data/raw/openmoji/images"


@pytest.fixture
def shop(kept_project, tmp_path):
    """A finished project of the test's own, whose table has attributes."""
    return kept_project.copy(tmp_path / "shop")


def run(project, *arguments):
    result = project.huse("index", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def catalogue(project):
    with (project.root / "data/raw/openmoji/catalog.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_rows(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def load(project):
    data = project.root / "data"
    return load_index(data / "index", model=data / "model", warn=pytest.fail)


def search(project, *arguments):
    result = project.huse("search", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def shrink(project, whole, part):
    """Make the index of a part of the items."""
    vector_ND = whole.vectors(part)
    table = whole.table.take(part)
    description = {key: whole.description[key] for key in ("kind", "modality", "separator", "near")}
    smaller = CatalogIndex(
        VectorIndex(build_index(vector_ND, None)),
        table,
        description | {"words": {"mode": "hybrid", "weight": 0.2}},
        WordIndex.build(table["text"].to_pylist()),
        whole.attributes.take(part),
    )
    shutil.rmtree(project.root / "data/index")
    save_index(smaller, project.root / "data/index", model=project.root / "data/model")


def test_an_index_of_a_part_with_the_rest_added_is_the_index_of_all(shop):
    whole = load(shop)
    rest = np.arange(0, len(whole), 6)
    shown = whole.items.iloc[rest]
    wanted = set(zip(shown["image"], shown["text"], strict=True))
    rows = [row for row in catalogue(shop) if (row["image"], row["text"]) in wanted]
    shrink(shop, whole, np.setdiff1d(np.arange(len(whole)), rest))
    write_rows(shop.root / "new.csv", rows)
    said = run(shop, "add", "new.csv", "--images", PICTURES)
    assert said == f"index: {len(rest)} items added; no rows rejected\n"
    both = load(shop)
    assert set(both.items["item_id"]) == set(whole.items["item_id"])
    v = Huse.load(shop.root / "data/model").embed(texts=["grinning face", "red heart", "dog"])
    for asked in ({}, {"within": "Animals & Nature"}, {"where": "price < 60 and brand == 'Nike'"}):
        for mode in ("dense", "hybrid"):
            pairs = [
                index.search(v.fused_ND, 6, texts=v.texts, mode=mode, **asked)
                for index in (both, whole)
            ]
            for one, other in zip(*pairs, strict=True):
                assert [hit.item_id for hit in one] == [hit.item_id for hit in other]
                for hit, same in zip(one, other, strict=True):
                    assert hit.distance == pytest.approx(same.distance, abs=1e-5)
                    assert hit._replace(row=0, distance=0, words=0) == same._replace(
                        row=0, distance=0, words=0
                    )


def test_new_items_are_found_at_once_and_are_near(shop):
    first, second = catalogue(shop)[:2]
    text = "zyzzyva quux submarine"
    rows = [
        {"picture": first["image"], "title": text, "path": "", "brand": "Puma & Co", "price": "7"},
        {"picture": "", "title": "a second one", "path": "Own<new", "brand": "", "price": "8.50"},
        {"picture": "no.png", "title": "x", "path": "a", "brand": "", "price": ""},
        {"picture": second["image"], "title": "dear", "path": "a", "brand": "", "price": "dear"},
        {"picture": second["image"], "title": "odd", "path": "a<<b", "brand": "", "price": ""},
        {"picture": "", "title": "a second one", "path": "Own<new", "brand": "", "price": ""},
    ]
    write_rows(shop.root / "new.csv", rows)
    columns = ("--image-column", "picture", "--text-column", "title", "--classes-column", "path")
    said = run(shop, "add", "new.csv", "--images", PICTURES, *columns)
    assert said == (
        "index: 2 items added, 1 of them in the most probable class, as their rows have none; "
        "4 rows rejected, see new_rejected.csv\n"
    )
    with (shop.root / "new_rejected.csv").open(encoding="utf-8") as file:
        reasons = {int(row["row"]): row["reason"] for row in csv.DictReader(file)}
    assert list(reasons) == [3, 4, 5, 6]
    assert reasons[3].startswith("image not found")
    assert reasons[4] == "price is 'dear', and of the catalogue's kind number"
    assert reasons[5] == "class path has an empty part"
    assert reasons[6] == "the same item as row 2"
    answer = search(shop, "submarine zyzzyva", "--where", "brand == 'Puma & Co' and price == 7")
    (hit,) = answer["hits"]
    assert hit["text"] == text
    assert hit["image"] == first["image"]
    assert hit["class_path"] in {one["classes"] for one in catalogue(shop)}
    (hit,) = search(shop, "one", "--in", "Own")["hits"]
    assert hit["attributes"] == {"price": 8.5, "brand": None, "sale": None, "first seen": None}
    assert run(shop, "changes") == (
        f"index: 2 added since it was made of {len(load(shop)) - 2} items\n"
    )


def test_items_are_replaced_by_their_key(shop):
    rows = catalogue(shop)
    number = len(load(shop))
    changed = {**rows[4], "price": "4.50", "text": "wholly renamed"}
    write_rows(shop.root / "new.csv", [changed, {**rows[5], "price": "5000", "text": "new one"}])
    assert "already in the index as" in (
        run(shop, "add", "new.csv", "--images", PICTURES, "--key", "price")
        and (shop.root / "new_rejected.csv").read_text(encoding="utf-8")
    )
    said = run(shop, "update", "new.csv", "--images", PICTURES, "--key", "price")
    assert said.startswith("index: no items added, 2 replaced; no rows rejected")
    (hit,) = search(shop, "renamed", "--where", "price == 4.5")["hits"]
    assert hit["text"] == "wholly renamed"
    assert len(load(shop)) == number + 1
    # Of the catalogue's own table nothing is new.
    write_rows(shop.root / "all.csv", rows)
    said = run(shop, "update", "all.csv", "--images", PICTURES, "--key", "price")
    assert said.startswith("index: no items added,")
    index = load(shop)
    assert sorted(index.items["text"].iloc[index.rows]) == sorted(
        [*(row["text"] for row in rows if row["text"] in set(index.items["text"])), "new one"]
    )


def test_items_are_removed_by_id_or_key_and_stay_so(shop):
    index = load(shop)
    ids, texts = index.items["item_id"].tolist(), index.items["text"].tolist()
    (shop.root / "ids.txt").write_text(f"{ids[3]}\nnonsense\n\n{ids[5]}\n", encoding="utf-8")
    result = shop.huse("index", "remove", "ids.txt")
    assert result.stdout == "index: 2 items removed\n"
    assert result.stderr == (
        "index: warning: 1 line of ids.txt, such as 'nonsense', is the item_id of no item\n"
    )
    assert ids[3] not in [hit["item_id"] for hit in search(shop, texts[3], "-k", "200")["hits"]]
    assert "is the item_id of an item" in shop.refuse("index", "remove", "ids.txt")
    price = index.attributes["price"][7].as_py()
    (shop.root / "keys.txt").write_text(f"{price}\n", encoding="utf-8")
    assert run(shop, "remove", "keys.txt", "--key", "price") == "index: 1 item removed\n"
    assert "none of 1 line is the price of an item" in shop.refuse(
        "index", "remove", "keys.txt", "--key", "price"
    )
    assert "no attribute 'sku'; it has price, brand" in shop.refuse(
        "index", "remove", "keys.txt", "--key", "sku"
    )
    assert run(shop, "compact").startswith("index: 3 removed since")
    assert len(load(shop)) == len(ids) - 3
    # The stage makes the same index from scratch, and says that searches differ from it.
    before = (shop.root / "data/index/index.faiss").read_bytes()
    result = shop.huse("index")
    assert "searches differ from this index: 3 removed since" in result.stderr
    assert (shop.root / "data/index/index.faiss").read_bytes() == before
    assert len(load(shop)) == len(ids) - 3


def test_a_key_that_several_items_share_names_all_of_them(shop):
    brands = load(shop).attributes["brand"].to_pylist()
    row = next(row for row in catalogue(shop) if row["brand"] == "Nike")
    write_rows(shop.root / "new.csv", [{**row, "text": "the only one"}])
    said = run(shop, "update", "new.csv", "--images", PICTURES, "--key", "brand")
    assert said.startswith("index: no items added, 1 replaced;")
    index = load(shop)
    left = [index.attributes["brand"][row].as_py() for row in index.rows.tolist()]
    assert left.count("Nike") == 1 < brands.count("Nike")
    (shop.root / "brands.txt").write_text("Nike\nPuma & Co\n", encoding="utf-8")
    said = run(shop, "remove", "brands.txt", "--key", "brand")
    assert said == f"index: {brands.count('Puma & Co') + 1} items removed\n"
    assert len(load(shop)) == brands.count(None)


def train_again(project):
    project.set({"train.seed": 5})
    for stage in ("train", "evaluate", "index"):
        result = project.huse(stage)
        assert result.exit_code == 0, result.output
    return result


def test_another_model_finds_what_was_added_after_a_refresh(shop):
    row = catalogue(shop)[0]
    write_rows(shop.root / "new.csv", [{**row, "text": "zyzzyva", "price": "7000"}])
    folder = shop.root / "elsewhere"
    folder.mkdir()
    shutil.copy(shop.root / PICTURES / row["image"], folder)
    run(shop, "add", "new.csv", "--images", "elsewhere", "--key", "price")
    v = Huse.load(shop.root / "data/model").embed([folder / row["image"]], ["zyzzyva"])
    (hit,) = load(shop).search(v.fused_ND, 1)[0]
    assert (hit.text, hit.image) == ("zyzzyva", "")  # its picture is not in the catalogue's folder
    # Neither table nor picture are needed any more.
    shutil.rmtree(folder)
    (shop.root / "ids.txt").write_text(load(shop).items["item_id"][2], encoding="utf-8")
    run(shop, "remove", "ids.txt")
    result = train_again(shop)
    assert "another model's and are not found; run huse index refresh" in result.stderr
    result = shop.huse("search", "zyzzyva", "--json")
    assert "another model's" in result.stderr
    assert "zyzzyva" not in result.stdout
    assert len(load_quietly(shop)) == len(load_quietly(shop).table) - 1  # what was removed stays so
    assert "earlier changes are another model's" in shop.refuse("index", "remove", "ids.txt")
    assert run(shop, "refresh") == "index: 1 added item embedded again\n"
    assert search(shop, "zyzzyva", "--mode", "words")["hits"][0]["text"] == "zyzzyva"
    again = Huse.load(shop.root / "data/model").embed_features(v)
    assert load(shop).search(again.fused_ND, 1)[0][0].distance == pytest.approx(0, abs=1e-5)
    described = json.loads((shop.root / "data/index_changes/changes.json").read_text("utf-8"))
    assert described["key"] == "price"


def test_removals_alone_are_no_matter_of_the_model(shop):
    (shop.root / "ids.txt").write_text("\n".join(load(shop).items["item_id"][:2]), "utf-8")
    write_rows(shop.root / "new.csv", [{**catalogue(shop)[0], "text": "zyzzyva"}])
    run(shop, "add", "new.csv", "--images", PICTURES)
    added = load(shop).items["item_id"].iloc[-1]
    (shop.root / "more.txt").write_text(added, encoding="utf-8")
    run(shop, "remove", "more.txt")
    run(shop, "remove", "ids.txt")
    assert "another model's" not in train_again(shop).stderr
    number = len(load(shop))
    assert number == len(load(shop).table) - 2
    write_rows(shop.root / "new.csv", [{**catalogue(shop)[1], "text": "zyzzyva"}])
    run(shop, "add", "new.csv", "--images", PICTURES)
    assert len(load(shop)) == number + 1


def test_when_no_change_is_left_all_is_as_it_was_made(shop):
    write_rows(shop.root / "new.csv", [{**catalogue(shop)[0], "text": "zyzzyva"}])
    before = len(load(shop))
    run(shop, "add", "new.csv", "--images", PICTURES)
    added = load(shop).items["item_id"].iloc[-1]
    (shop.root / "ids.txt").write_text(added, encoding="utf-8")
    run(shop, "remove", "ids.txt")
    assert run(shop, "compact").startswith("index: nothing changed since")
    assert len(load(shop)) == before
    assert search(shop, "red")["hits"]
    assert run(shop, "refresh") == "index: no added items embedded again\n"
    run(shop, "add", "new.csv", "--images", PICTURES)
    assert len(load(shop)) == before + 1


def test_a_product_is_found_once_after_the_catalogue_has_it(shop):
    changed = {**catalogue(shop)[4], "text": "wholly renamed"}
    write_rows(shop.root / "new.csv", [changed])
    run(shop, "update", "new.csv", "--images", PICTURES, "--key", "price")
    # Commands that name no key do not forget it.
    run(shop, "compact")
    (shop.root / "ids.txt").write_text(load(shop).items["item_id"][9], encoding="utf-8")
    run(shop, "remove", "ids.txt", "--key", "item_id")
    rows = catalogue(shop)
    rows[4]["text"] = "renamed otherwise"
    write_rows(shop.root / "data/raw/openmoji/catalog.csv", rows)
    # The stages of dvc repro, without another process for each.
    for stage in STAGES:
        result = shop.huse(stage)
        assert result.exit_code == 0, result.output
    run(shop, "refresh")
    texts = load(shop).items["text"].tolist()
    assert "renamed otherwise" in texts
    assert "wholly renamed" not in texts


def load_quietly(project):
    data = project.root / "data"
    return load_index(data / "index", model=data / "model", warn=lambda line: None)


def test_mistakes_are_told(shop):
    (shop.root / "new.csv").write_text("text\nzeppelin\n", encoding="utf-8")
    result = shop.huse("index", "update", "new.csv", "--key", "price")
    assert result.exit_code == 1
    assert "--key: no row of new.csv says anything in a column price" in result.stderr
    assert shop.refuse("index", "add", "nowhere.csv") == "table: nowhere.csv not found"
    assert "cannot be read" in shop.refuse("index", "remove", "nowhere.txt")
    (shop.root / "empty.txt").write_text("\n", encoding="utf-8")
    assert "no ids in it" in shop.refuse("index", "remove", "empty.txt")
    assert "no index here" in shop.refuse("index", "changes", "--index", "data/nowhere")
    (shop.root / "new.csv").write_text("image,text,price\n,zeppelin,x\n", encoding="utf-8")
    message = shop.refuse("index", "add", "new.csv")
    assert message == "new.csv: no row can be used; the reasons are in new_rejected.csv"
    assert not (shop.root / "data/index_changes/changes.json").exists()
