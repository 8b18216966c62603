import json

import pandas as pd
import pytest

from huse import Huse
from tests.fresh_process import modules_after


@pytest.fixture(scope="module")
def item(finished_project):
    return pd.read_parquet(finished_project.root / "data" / "index" / "items.parquet").iloc[4]


@pytest.fixture(scope="module")
def damaged_project(finished_project, tmp_path_factory):
    """A copy in which one file after the other is something else."""
    return finished_project.copy(tmp_path_factory.mktemp("damaged") / "project")


def search(project, *arguments):
    result = project.huse("search", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["hits"]


def test_a_text_and_a_picture_together_find_their_item(finished_project, item):
    picture = f"data/raw/openmoji/images/{item['image']}"
    hits = search(finished_project, item["text"], "--image", picture, "--both", "--k", "3")
    assert len(hits) == 3
    assert hits[0]["item_id"] == item["item_id"]
    assert hits[0]["distance"] == pytest.approx(0, abs=1e-5)
    wanted = {"item_id", "image", "text", "class_path", "distance", "words", "attributes"}
    assert set(hits[0]) == wanted | {"likely_path"}
    assert hits[0]["likely_path"] is None
    assert hits[0]["attributes"] == {}


def test_a_picture_alone_and_a_text_alone_find_by_distance(finished_project, item):
    picture = f"data/raw/openmoji/images/{item['image']}"
    for arguments in ([item["text"], "--mode", "dense"], ["--image", picture]):
        distances = [hit["distance"] for hit in search(finished_project, *arguments)]
        assert len(distances) == 10
        assert distances == sorted(distances)


def test_several_pictures_are_searched_as_one_item(finished_project):
    root = finished_project.root
    pictures = sorted((root / "data/raw/openmoji/images").iterdir())[:2]
    hits = search(finished_project, *(word for one in pictures for word in ("--image", one)))
    model = Huse.load(root / "data/model")
    wanted = model.search(model.embed(images=[pictures]))[0]
    assert [hit["item_id"] for hit in hits] == [hit.item_id for hit in wanted]
    assert hits != search(finished_project, "--image", pictures[0])


def test_words_count_unless_the_user_says_otherwise(finished_project, item):
    by_words = search(finished_project, item["text"], "--mode", "words")
    assert item["item_id"] in [hit["item_id"] for hit in by_words]
    shares = [hit["words"] for hit in by_words]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 1
    both = search(finished_project, item["text"])
    order = [hit["distance"] - 0.5 * hit["words"] for hit in both]
    assert order == pytest.approx(sorted(order))
    assert both == search(finished_project, item["text"], "--mode", "hybrid")
    assert search(finished_project, item["text"], "--mode", "dense")[0]["words"] is None


def test_a_class_narrows_the_results(finished_project, item):
    top = item["class_path"].split("<")[0]
    hits = search(finished_project, item["text"], "--in", top.upper())
    assert hits
    assert all(hit["class_path"].split("<")[0] == top for hit in hits)


def test_what_is_true_of_attributes_narrows_the_results(kept_project):
    table = pd.read_csv(kept_project.root / "data/raw/openmoji/catalog.csv").set_index("image")
    where = "price < 60 and brand == 'Nike' and column('first seen') >= '2024-01-10'"
    picture = f"data/raw/openmoji/images/{table.index[5]}"
    hits = search(kept_project, "heart", "--where", where, "--k", "5")
    assert len(hits) == 5
    for hit in [*hits, *search(kept_project, "--image", picture, "--where", where)]:
        row, said = table.loc[hit["image"]], hit["attributes"]
        assert list(said) == ["price", "brand", "sale", "first seen"]
        assert said["price"] == row["price"] < 60
        assert said["brand"] == row["brand"] == "Nike"
        assert said["sale"] is bool(row["sale"])
        assert said["first seen"] == row["first seen"] >= "2024-01-10"


def test_the_table_says_what_is_known_of_every_item(kept_project):
    found = kept_project.huse("search", "heart", "--where", "brand is None and sale", "--k", "2")
    assert found.exit_code == 0, found.output
    assert "attributes" in found.stdout
    assert found.stdout.count("sale: true") == 2
    assert found.stdout.count("price: ") == 2
    assert "brand" not in found.stdout


def test_mistakes_in_an_expression_are_one_line(kept_project, finished_project):
    for where, message in [
        ("prise < 3", "where: no column 'prise'; did you mean price? there are class_path, text, "),
        ("brand == 'nike'", "where: no item has brand == 'nike'; brand has 'Nike'"),
        ("price < 'x'", "where: price is a number, and 'x' is not"),
        ("price <", "where: 'price <' cannot be read (invalid syntax); write it like price < 50 "),
    ]:
        told = kept_project.refuse("search", "heart", "--where", where)
        assert told.startswith(message)
        assert "\n" not in told
    assert "no column 'price'; there are class_path, text, split, item_id, image" in (
        finished_project.refuse("search", "heart", "--where", "price < 3")
    )


def test_the_terminal_shows_a_table(finished_project, item):
    result = finished_project.huse("search", item["text"], "--k", "2")
    assert result.exit_code == 0, result.output
    assert "distance" in result.stdout
    assert item["class_path"].split("<")[0].split()[0] in result.stdout


def test_a_text_that_says_nothing_is_warned_of(finished_project):
    result = finished_project.huse("search", "xyzzyx")
    assert "nothing in the catalogue is near this text: no word of it is known" in result.stdout


@pytest.mark.parametrize("text", ["qwxzzyk blorf", "hydrochloric acid titration"])
def test_the_first_line_says_that_nothing_is_near(shipped_project, text):
    result = shipped_project.huse("search", text)
    assert result.stdout.startswith("nothing in the catalogue is near this text (feature distance ")
    assert "class" in result.stdout.splitlines()[2]
    found = json.loads(shipped_project.huse("search", text, "--json").stdout)
    assert found["near"] is False
    assert found["distance"] > found["limit"] > 0
    assert len(found["hits"]) == 10


@pytest.mark.parametrize("text", ["sad cat", "happy woman"])
def test_what_is_near_is_not_spoken_of(shipped_project, text):
    assert "near" not in shipped_project.huse("search", text).stdout
    found = json.loads(shipped_project.huse("search", text, "--json").stdout)
    assert found["near"] is True
    assert found["distance"] <= found["limit"]


def test_mistakes_are_told(finished_project, item):
    assert "give a text" in finished_project.refuse("search")
    assert "--both: the picture is missing" in finished_project.refuse("search", "cat", "--both")
    assert "nowhere.png: file not found" in finished_project.refuse(
        "search", "--image", "nowhere.png"
    )
    assert "--mode words: the text is missing" in finished_project.refuse(
        "search", "--image", "nowhere.png", "--mode", "words"
    )
    text, path = item["text"], item["class_path"]
    assert f"did you mean '{path}'" in finished_project.refuse("search", text, "--in", path[:-1])
    assert "no item is of class '%%'; data/catalog/classes.json" in finished_project.refuse(
        "search", text, "--in", "%%"
    )
    assert "no index here" in finished_project.refuse("search", text, "--index", "nowhere")


def test_a_long_text_is_cut_in_the_table_and_whole_in_json(project):
    items = project.root / "data" / "index" / "items.parquet"
    frame = pd.read_parquet(items)
    frame["text"] = "endless " * 1000
    frame.to_parquet(items)
    shown = project.huse("search", "cat", "--k", "1").stdout
    assert 0 < shown.count("endless") < 14
    assert "..." in shown
    assert search(project, "cat", "--k", "1")[0]["text"] == "endless " * 1000


def test_a_search_by_text_waits_for_no_library_that_it_does_not_use(shipped_project):
    """Torch and what stands on it take seconds to import; the shipped encoders are a sentence's."""
    code = """
from contextlib import suppress
import sys
sys.argv = ["huse", "search", "sad cat"]
from stages.__main__ import app
with suppress(SystemExit):
    app()
"""
    loaded = modules_after(code, shipped_project.root)
    heavy = {
        "torch",
        "pandas",
        "sklearn",
        "transformers",
        "sentence_transformers",
        "onnx",
        "gensim",
    }
    assert not loaded & heavy
    assert "faiss" in loaded


@pytest.mark.parametrize(
    ("command", "file", "key", "value", "message"),
    [
        (["search", "cat"], "model/model.json", None, [], "all of it: should be an object"),
        (["search", "cat"], "model/model.json", "config", {"dim": 8}, "config.image_features: "),
        (["search", "cat"], "model/model.json", "recipe", {}, "recipe.image: missing"),
        (["search", "cat"], "index/index.json", "words", {"mode": "any"}, "words.mode: should be"),
        (["search", "cat"], "index/index.json", "separator", None, "separator: should be a valid"),
        (["search", "cat"], "index/words/words.json", "texts", "9", "texts: should be a valid int"),
        (["index"], "model/model.json", "classes", [], "classes: should be an object"),
        (["evaluate"], "graph/classes.json", "classes", "ab", "classes: should be a valid list"),
        (["evaluate"], "catalog/classes.json", "label", "root", "label: should be 'path', 'leaf'"),
        (["train"], "catalog/classes.json", "classes", ["a"], "classes.0: should be an object"),
        (["clean_text"], "catalog/classes.json", "separator", 1, "separator: should be a valid s"),
    ],
)
def test_json_that_says_something_else_is_one_line_with_file_and_key(
    damaged_project, command, file, key, value, message
):
    path = damaged_project.root / "data" / file
    whole = path.read_bytes()
    path.write_text(json.dumps(value if key is None else json.loads(whole) | {key: value}))
    said = damaged_project.refuse(*command)
    path.write_bytes(whole)
    assert said.startswith(f"data/{file}: damaged ({message}")
    assert "\n" not in said
