"""A shop whose items have one picture or two, through all stages to a search."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from huse import Huse
from pipeline.image_features.pool import pool
from pipeline.index.stored_index import load_index
from stages.__main__ import STAGES
from tests.feature_tables import read_vectors

FOUR = 4


@pytest.fixture(params=["separator", "id"])
def several(shop, request):
    """The shop in which every fourth item has the picture of the next one instead of it."""
    header, *lines = (shop.root / "catalog.csv").read_text(encoding="utf-8").splitlines()
    first = [line for n, line in enumerate(lines) if n % FOUR != 1]
    table = pd.DataFrame([line.split(",") for line in first], columns=header.split(","))
    second = [f"{n}.png" for n in range(1, len(lines), FOUR)]
    owners = table["image"].isin([f"{n}.png" for n in range(0, len(lines), FOUR)])
    if request.param == "separator":
        table.loc[owners, "image"] = table.loc[owners, "image"] + "; " + second
        shop.set({"catalog.columns.separator_images": ";"})
    else:
        table["product"] = [f"product {n}" for n in range(len(table))]
        more = table[owners].assign(image=second, text="", classes="")
        table = pd.concat([table, more])
        shop.set({"catalog.columns.id": "product", "catalog.columns.keep": ["product"]})
    table.to_csv(shop.root / "catalog.csv", index=False)
    return shop


def run(shop, *names):
    for name in names:
        result = shop.huse(*name.split())
        assert result.exit_code == 0, f"{name}: {result.output}"


def test_several_pictures_go_from_the_table_to_the_search(several):
    data = several.root / "data"
    text = "text_block glove"
    run(several, *(text if name == "text_block" else name for name in STAGES))
    items = pd.read_parquet(data / "catalog/items.parquet")
    pictures = pd.read_parquet(data / "catalog/item_pictures.parquet")
    assert len(items) == 12
    assert len(pictures) == 16
    of_items = pictures.groupby("item_id")["image"].agg(list)
    assert sorted(map(len, of_items)) == [1] * 8 + [2] * 4
    assert items["image"].tolist() == of_items[items["item_id"]].str[0].tolist()

    # Each is extracted once, and the first view of an item with two is pooled from theirs.
    report = json.loads((data / "reports/image_features.json").read_bytes())
    assert (report["pictures"], report["usable"], report["extracted"]) == (16, 16, 16)
    table = pq.read_table(data / "features/image.parquet", columns=["item_id", "view", "image"])
    table = table.to_pandas()
    vector_RI = read_vectors(data / "features/image.parquet", "vector")[1]
    for item_id, rows in table.groupby("item_id").indices.items():
        names = of_items[item_id]
        assert table["view"].iloc[rows].tolist() == list(range(len(rows)))
        if len(names) == 2:
            assert table["image"].iloc[rows].fillna("").tolist() == ["", *names]
            assert vector_RI[rows[0]] == pytest.approx(pool(vector_RI[rows[1:]]), rel=1e-6)
        else:
            assert table["image"].iloc[rows].tolist() == names

    # One item is one query.
    embeddings = pd.read_parquet(data / "evaluate/embeddings.parquet", columns=["item_id"])
    assert embeddings["item_id"].nunique() == 12

    # Of an item the picture that is asked for is shown.
    for names in of_items[of_items.map(len) == 2]:
        for name in names:
            asked = several.huse("search", "--image", f"pictures/{name}", "--k", "12", "--json")
            assert asked.exit_code == 0, asked.output
            shown = [hit["image"] for hit in json.loads(asked.stdout)["hits"]]
            assert name in shown
            assert set(names) - set(shown) == set(names) - {name}
    words = several.huse("search", "red", "--mode", "words", "--k", "12", "--json").stdout
    assert {hit["image"] for hit in json.loads(words)["hits"]} <= set(items["image"])

    # Found by its best picture an item is no farther than by the pooled one, where it has others.
    one = of_items[of_items.map(len) == 2].iloc[0][1]
    shown = ("search", "--image", f"pictures/{one}", "--k", "12", "--json")
    several.set({"index.pictures": "mean"})
    run(several, "index")
    pooled = {hit["item_id"]: hit for hit in json.loads(several.huse(*shown).stdout)["hits"]}
    several.set({"index.pictures": "best"})
    run(several, "index")
    by_best = {hit["item_id"]: hit for hit in json.loads(several.huse(*shown).stdout)["hits"]}
    assert by_best.keys() == pooled.keys()
    for item_id, hit in by_best.items():
        changed = hit["distance"] != pytest.approx(pooled[item_id]["distance"], abs=1e-5)
        assert changed == (len(of_items[item_id]) == 2)
        assert hit["image"] == pooled[item_id]["image"]

    # As new items they are the same, by any separator, and are named as the catalogue names them.
    if (separator := ";") in (several.root / "catalog.csv").read_text(encoding="utf-8"):
        stored = pd.read_parquet(data / "evaluate/embeddings.parquet").merge(items, on="item_id")
        for options in ([], ["--separator-images", "|"]):
            table = pd.read_csv(several.root / "catalog.csv")
            if options:
                table["image"] = table["image"].str.replace(separator, "|")
            table.to_csv(several.root / "new.csv", index=False)
            options += ["--images", "pictures"]
            run(several, f"embed new.csv --out new.parquet {' '.join(options)}")
            found = pd.read_parquet(several.root / "new.parquet")
            both = stored.merge(found, on=["image", "text", "modality"], suffixes=("", "_new"))
            assert len(both) == len(stored) == len(found)
            assert np.abs(np.stack(both["vector"]) - np.stack(both["vector_new"])).max() < 1e-5
        gone = of_items[of_items.map(len) == 2].index[0]
        (several.root / "ids.txt").write_text(gone, encoding="utf-8")
        run(several, "index remove ids.txt")
        added = several.huse("index", "add", "new.csv", "--images", "pictures", *options[:2])
        assert added.stdout.startswith("index: 1 item added; 11 rows rejected")
        asked = several.huse("search", "--image", f"pictures/{of_items[gone][0]}", "--json")
        assert gone in {hit["item_id"] for hit in json.loads(asked.stdout)["hits"]}
        return

    # Where the table says another text alone, all pictures of the item go on to count.
    row = items.merge(pd.read_parquet(data / "catalog/attributes.parquet")).iloc[0]
    names = of_items[row["item_id"]]
    assert len(names) == 2
    new = pd.DataFrame({"product": [row["product"]], "text": ["green boots for winter"]})
    new.to_csv(several.root / "new.csv", index=False)
    run(several, "index update new.csv")
    index = load_index(data / "index", model=data / "model", warn=pytest.fail)
    (place,) = np.flatnonzero(index.items["text"] == "green boots for winter")
    pictures = [[several.root / "pictures" / name for name in names]]
    wanted = Huse.load(data / "model").embed(pictures, ["green boots for winter"]).fused_ND
    assert index.vectors(np.array([place])) == pytest.approx(wanted, abs=1e-5)


def test_a_broken_picture_of_two_leaves_the_item_with_the_other(several):
    (several.root / "pictures" / "0.png").write_bytes(b"no picture")
    several.set({"image.max_failed": 0.1})
    run(several, "catalog", "image_features")
    data = several.root / "data"
    failures = pd.read_csv(data / "features/image_failures.csv")
    assert failures["image"].tolist() == ["pictures/0.png"]
    pictures = pd.read_parquet(data / "catalog/item_pictures.parquet").set_index("image")
    table = pq.read_table(data / "features/image.parquet", columns=["item_id", "view", "image"])
    table = table.to_pandas()
    left = table[table["item_id"] == pictures.loc["0.png", "item_id"]]
    assert left[["view", "image"]].to_numpy().tolist() == [[0, "1.png"]]
    assert table["item_id"].nunique() == 12


def test_training_draws_among_the_views_of_all_pictures(several):
    several.set({"image.views": 3})
    run(several, "catalog", "image_features")
    table = pq.read_table(
        several.root / "data/features/image.parquet", columns=["item_id", "image"]
    )
    sizes = table.to_pandas()["item_id"].value_counts()
    assert sorted(sizes) == [3] * 8 + [7] * 4


def test_a_picture_in_common_keeps_items_on_one_side(several):
    path = several.root / "catalog.csv"
    table = pd.read_csv(path)
    first, other = table["image"][0].split(";")[0], table["image"][1]
    shared = pd.DataFrame([table.iloc[0], table.iloc[1]]).assign(text=["one", "two"])
    if "product" in table:
        shared = pd.concat([shared.assign(product=["x", "y"]), shared.assign(product=["y", "x"])])
        shared["classes"] = shared["classes"].iloc[0]
        shared["text"] = ["one", "two", "", ""]
    else:
        shared["image"] = [f"{first};{other}", f"{other};{first}"]
    pd.concat([table, shared]).to_csv(path, index=False)
    run(several, "catalog")
    items = pd.read_parquet(several.root / "data/catalog/items.parquet")
    groups = pd.read_parquet(several.root / "data/catalog/groups.parquet")
    groups = groups.set_index("item_id").loc[items["item_id"]]
    one, two = (np.flatnonzero(items["text"] == text)[0] for text in ("one", "two"))
    picture_N = groups["picture"].to_numpy()
    assert picture_N[0] == picture_N[1] == picture_N[one] == picture_N[two]
