import math
from dataclasses import replace
from threading import Thread

import pytest
from PIL import Image

from huse import Huse
from pipeline.explore.class_menu import ClassLink
from pipeline.explore.explorer import Explorer
from pipeline.explore.query import Query
from pipeline.use.added_classes import add_class, remove_class


def ids(answer):
    return [hit.item_id for hit in answer.hits]


def found(hits):
    return [hit.item_id for hit in hits]


@pytest.fixture
def item(huse):
    return huse.index.items.iloc[3]


def test_a_text_a_picture_and_both_find_what_the_library_finds(
    huse, explorer, picture_folder, item
):
    file = picture_folder / item["image"]
    for text, image in ((item["text"], None), (None, file), (item["text"], file)):
        wanted = huse.search(huse.embed([image], [text]), k=5)[0]
        answer = explorer.answer(Query(text or "", k=5), image and Image.open(image))
        assert ids(answer) == found(wanted)
        assert answer.is_ranked
    assert answer.summary == (
        f"Nearest to \u201c{item['text']}\u201d and your picture: 5 of {len(huse.index)} items"
    )


@pytest.mark.parametrize("mode", ["hybrid", "dense", "words"])
def test_a_text_is_searched_as_was_chosen(huse, explorer, item, mode):
    text = f"{item['text']} heart"
    wanted = huse.search(huse.embed(texts=[text]), 8, mode=mode)[0]
    assert ids(explorer.answer(Query(text, k=8, mode=mode))) == found(wanted)


def test_a_class_narrows_the_results(huse, explorer, item):
    top = item["class_path"].split("<")[0]
    answer = explorer.answer(Query(item["text"], within=top, k=8))
    assert answer.hits
    assert all(hit.class_path.split("<")[0] == top for hit in answer.hits)
    assert answer.matching == huse.index.within(top).sum()


def test_what_is_chosen_narrows_the_results_as_its_expression_does(kept_explorer):
    names = [facet.name for facet in kept_explorer.facets]
    assert names == ["price", "brand", "sale", "first seen"]
    query = Query("heart", k=5, filters=(("to.price", "60"), ("is.brand", "Nike")))
    answer = kept_explorer.answer(query)
    assert answer.where == "price <= 60 and brand == 'Nike'"
    model = kept_explorer.model
    wanted = model.search(model.embed(texts=["heart"]), 5, where=answer.where)[0]
    assert ids(answer) == found(wanted)
    assert ids(kept_explorer.answer(replace(query, where=answer.where, filters=()))) == ids(answer)
    like = replace(query, text="", like=model.index.items["item_id"].iloc[3])
    wanted = model.index.similar(3, 5, where=answer.where)
    assert ids(kept_explorer.answer(like)) == found(wanted)


@pytest.mark.parametrize("asked", [{"text": "heart"}, {}])
def test_mistakes_are_told(kept_explorer, asked):
    for more, said in (
        ({"where": "prise < 3"}, "where: no column 'prise'; did you mean price?"),
        ({"where": "price > 1000"}, "where: no item has price > 1000"),
        ({"filters": (("to.price", "cheap"),)}, "price: 'cheap' is no number"),
        ({"filters": (("is.size", "41"),)}, "nothing can be chosen of 'size' here"),
        ({"within": "Nowhere"}, "no item is of class 'Nowhere'"),
        ({"like": "nothing", "text": ""}, "There is no item nothing in this catalogue."),
        ({"text": "x" * 501}, "text: 501 characters"),
    ):
        answer = kept_explorer.answer(Query(**{**asked, **more}))
        assert said in answer.error
        assert answer.summary == answer.error
        assert not answer.hits


def test_more_like_an_item_leaves_it_out(huse, explorer, item):
    answer = explorer.answer(Query(like=item["item_id"], k=5))
    assert ids(answer) == found(huse.index.similar(3, 5))
    assert item["item_id"] not in ids(answer)
    assert answer.heading == f"More like \u201c{item['text']}\u201d"
    assert explorer.row(item["item_id"]) == 3


def test_filters_alone_show_the_catalogue_in_its_order(huse, explorer, kept_explorer, item):
    answer = explorer.answer(Query(k=4))
    assert ids(answer) == huse.index.items["item_id"].head(4).tolist()
    assert not answer.is_ranked
    assert math.isnan(answer.hits[0].distance)
    assert answer.summary == f"The catalogue: 4 of {len(huse.index)} items"
    answer = kept_explorer.answer(Query(where="sale and price > 10", k=4))
    assert [hit.attributes["price"] for hit in answer.hits] == [10.5, 12.5, 14.5, 16.5]
    assert answer.heading == "All that match"


def test_results_that_are_not_near_have_a_warning(other, explorer):
    shown = Explorer(other)
    answer = shown.answer(Query("qwxzzyk blorf", k=5))
    assert answer.warning.startswith("Nothing in the catalogue is near this text (feature distance")
    assert len(answer.hits) == 5
    assert shown.answer(Query("sad cat", k=5)).warning is None
    warning = explorer.answer(Query("xyzzyx")).warning
    assert warning == "Nothing in the catalogue is near this text: no word of it is known."


def test_a_picture_that_breaks_off_is_told_without_pillows_name_for_it(picture_folder, explorer):
    from io import BytesIO

    whole = next(picture_folder.iterdir()).read_bytes()
    answer = explorer.answer(Query(), Image.open(BytesIO(whole[: len(whole) // 2])))
    assert answer.error.startswith("your picture: broken picture")


def test_choices_say_how_many_items_they_leave(kept_explorer):
    query = Query(where="price < 60", filters=(("is.brand", "Nike"),))
    price, brand, sale, _ = kept_explorer.facet_menus(query)
    assert price.boxes == []
    # Prices count up from 0.50, every third item is Nike's, every other one is on sale.
    assert {box.label: box.items for box in brand.boxes} == {
        "Nike": 20,
        "Puma & Co": 20,
        "not said": 20,
    }
    assert {box.label: box.items for box in sale.boxes} == {"true": 10, "false": 10}
    assert sum(one.items for one in kept_explorer.classes_below(query)) == 20
    mistaken = Query(where="prise < 60")
    assert kept_explorer.classes_below(mistaken) == []
    assert kept_explorer.facet_menus(mistaken)[2].boxes == []


def test_what_was_added_is_there_and_what_was_removed_is_not(kept_project, tmp_path):
    project = kept_project.copy(tmp_path / "project")
    before = Huse.load(project.root / "data" / "model").index.items
    gone = before["item_id"].head(3).tolist()
    (project.root / "gone.txt").write_text("\n".join(gone) + "\n")
    new = f"image,text,classes,brand\n{before['image'].iloc[9]},zebra heart,New<kind,Puma\n"
    (project.root / "new.csv").write_text(new)
    for command in (
        ["remove", "gone.txt"],
        ["add", "new.csv", "--images", "data/raw/openmoji/images"],
    ):
        result = project.huse("index", *command)
        assert result.exit_code == 0, result.output
    changed = Explorer(Huse.load(project.root / "data" / "model"))
    left = len(before) - 2
    answer = changed.answer(Query(k=5))
    assert ids(answer) == before["item_id"].iloc[3:8].tolist()
    assert (answer.matching, answer.heading) == (left, "The catalogue")
    assert "There is no item" in changed.answer(Query(like=gone[0])).error
    (added, *_) = changed.answer(Query("zebra heart")).hits
    assert added.text == "zebra heart"
    assert changed.answer(Query(like=added.item_id)).heading == "More like \u201czebra heart\u201d"
    assert sum(one.items for one in changed.classes_below(Query())) == left
    assert "New<kind" in changed.classes.paths
    (_, brand, *_) = changed.facet_menus(Query())
    assert {box.label: box.items for box in brand.boxes}["Puma"] == 1
    assert sum(box.items for box in brand.boxes) == left
    assert changed.space.total == left - 1, "an added item has no place"
    assert not {point[4] for point in changed.space.points(str)["points"]} & {*gone, added.item_id}


def test_many_may_ask_at_a_time(explorer, huse):
    texts = huse.index.items["text"].head(8).tolist()
    wanted = [ids(explorer.answer(Query(text, k=3))) for text in texts]
    answers = {}
    threads = [
        Thread(target=lambda text=text: answers.update({text: explorer.answer(Query(text, k=3))}))
        for text in texts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [ids(answers[text]) for text in texts] == wanted


def test_an_index_without_words_is_searched_by_meaning(finished_project, tmp_path):
    import shutil

    from pipeline.core.json_file import read_json, write_json

    folder = shutil.copytree(finished_project.root / "data" / "index", tmp_path / "index")
    description = read_json(folder / "index.json")
    del description["words"]
    write_json(folder / "index.json", description)
    old = Explorer(Huse.load(finished_project.root / "data" / "model", folder))
    assert old.usual_mode is None
    assert old.answer(Query("heart", mode="words")).error.startswith("the index has no words")
    assert old.answer(Query("heart")).hits[0].words is None


def test_an_added_class_is_offered_with_what_is_predicted_to_be_of_it(project, item):
    root = project.root
    model = Huse.load(root / "data" / "model")
    path = "gadgets<red heart"
    embeddings = root / "data" / "evaluate" / "embeddings.parquet"
    added = add_class(model, path, [model.embed(None, [item["text"]])], "again", embeddings)
    assert added.likely
    shown = Explorer(Huse.load(root / "data" / "model"))
    assert path in shown.classes.paths
    number = len(added.likely)
    assert ClassLink("gadgets", "gadgets", number, number) in shown.classes_below(Query())
    for query in (Query(within=path, k=96), Query(item["text"], within="gadgets", k=96)):
        answer = shown.answer(query)
        assert set(ids(answer)) == set(added.likely)
        assert {hit.likely_path for hit in answer.hits} == {path}
        assert answer.matching == number
    remove_class(root / "data" / "model", path)
    again = Explorer(Huse.load(root / "data" / "model"))
    assert again.answer(query).error.startswith("no item is of class 'gadgets'")
    assert "gadgets" not in again.classes.paths
