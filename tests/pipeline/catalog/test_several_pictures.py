import json

import pandas as pd
import pytest

from pipeline.catalog.items import make_item_id, make_items
from pipeline.catalog.read import read_catalog
from pipeline.catalog.several_pictures import join_rows, picture_names
from pipeline.core.errors import InputError
from pipeline.pictures.folder import ImageFolder
from tests.pipeline.catalog.frames import COLUMNS


@pytest.mark.parametrize(
    ("cell", "separator", "names"),
    [
        ("a.jpg", None, ["a.jpg"]),
        ("a.jpg;b.jpg", None, ["a.jpg;b.jpg"]),
        ("a.jpg; b.jpg ;;a.jpg;", ";", ["a.jpg", "b.jpg"]),
        ("a.jpg | b.jpg", " | ", ["a.jpg", "b.jpg"]),
        ("a.jpg\nb.jpg;c.jpg\n", ";", ["a.jpg", "b.jpg", "c.jpg"]),
        (" a.jpg ", ";", [" a.jpg "]),  # as the file may be called
        ("", ";", []),
        (" ", None, []),
        (" ; ;", ";", []),
    ],
)
def test_names_of_a_cell(cell, separator, names):
    assert picture_names(cell, separator) == names


def joined(tmp_path, rows, **columns):
    path = tmp_path / "catalog.csv"
    names = ["image", "text", "classes", "handle", *columns]
    pd.DataFrame(rows, columns=names).to_csv(path, index=False)
    wanted = COLUMNS.model_copy(update={"id": "handle", **{name: name for name in columns}})
    return join_rows(read_catalog(path, wanted), "<")


def test_rows_of_one_id_are_one_with_all_pictures_and_what_is_said_first(tmp_path):
    rows = [
        ("1.jpg", "", "bags<totes", "tote"),
        ("2.jpg", "Hat", "hats", "hat"),
        ("3.jpg", "Tote", "", "tote"),
        ("4.jpg", "Tote bag", "bags < totes", " tote "),
        ("5.jpg", "Nobody's", "hats", ""),
        ("6.jpg", "Nobody's", "hats", ""),
    ]
    table, first_row_of = joined(tmp_path, rows)
    assert table[["row", "image", "text", "classes"]].to_numpy().tolist() == [
        [1, "1.jpg\n3.jpg\n4.jpg", "Tote", "bags<totes"],
        [2, "2.jpg", "Hat", "hats"],
        [5, "5.jpg", "Nobody's", "hats"],
        [6, "6.jpg", "Nobody's", "hats"],
    ]
    assert (table["reason"] == "").all()
    assert first_row_of == {3: 1, 4: 1}


def test_a_row_that_contradicts_its_item_stays_alone_with_the_reason(tmp_path):
    rows = [
        ("1.jpg", "Tote", "bags", "a", "train"),
        ("2.jpg", "Tote", "hats", "a", "train"),
        ("3.jpg", "Tote", "bags", "a", "test"),
        ("4.jpg", "Tote", "", "a", ""),
    ]
    table, first_row_of = joined(tmp_path, rows, split="split")
    assert table["image"].tolist() == ["1.jpg\n4.jpg", "2.jpg", "3.jpg"]
    assert table["reason"].tolist() == [
        "",
        "another class than row 1 of the same id",
        "another split than row 1 of the same id",
    ]
    assert first_row_of == {4: 1}


def test_without_such_a_column_every_row_is_one(tmp_path):
    path = tmp_path / "catalog.csv"
    path.write_text("image,text,classes\n1.jpg,a,b\n2.jpg,a,b\n")
    table = read_catalog(path, COLUMNS)
    assert join_rows(table, "<") == (table, {})


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_lists_of_pictures_are_read_from_tables_with_types(tmp_path, ending):
    path = tmp_path / f"catalog.{ending}"
    records = [
        {"image": ["1.jpg", "2.jpg"], "text": "Tote", "classes": "bags"},
        {"image": [], "text": "Hat", "classes": "hats"},
        {"image": None, "text": "Cap", "classes": "hats"},
    ]
    if ending == "jsonl":
        records.append({"image": ["1.jpg", {}], "text": ["Scarf"], "classes": "scarves"})
        path.write_text("\n".join(map(json.dumps, records)))
    else:
        pd.DataFrame(records).to_parquet(path)
    table = read_catalog(path, COLUMNS)
    assert table["image"].tolist()[:3] == ["1.jpg\n2.jpg", "", ""]
    assert table["reason"].tolist()[:3] == ["", "", ""]
    if ending == "jsonl":
        assert table["reason"][3] == (
            "wrong type: image is dict, not text; wrong type: text is list, not text"
        )


def test_a_folder_of_pictures_has_no_ids(tmp_path):
    (tmp_path / "hats").mkdir()
    (tmp_path / "hats" / "1.jpg").write_bytes(b"x")
    with pytest.raises(InputError, match=r"catalog.columns.id: .* is a folder.*to null"):
        read_catalog(tmp_path, COLUMNS.model_copy(update={"id": "handle"}))


@pytest.fixture
def images(tmp_path):
    (tmp_path / "images" / "shoes").mkdir(parents=True)
    for name in ("1.jpg", "2.jpg", "shoes/3.jpg"):
        (tmp_path / "images" / name).write_bytes(b"x")
    return tmp_path / "images"


def items_of(images, rows, *, require="both", on_bad_row="skip", warn=None, separator=None, **more):
    """The items of a table whose columns are three, and those that are named as they are called."""
    path = images.parent / "catalog.csv"
    columns = ["image", "text", "classes", *more.values()]
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)
    return make_items(
        read_catalog(path, COLUMNS.model_copy(update=more)),
        ImageFolder(images),
        separator="<",
        separator_images=separator,
        require=require,
        on_bad_row=on_bad_row,
        warn=warn or (lambda line: None),
    )


SEVERAL = [
    ("1.jpg; shoes/3.jpg;./1.jpg", "Boots", "shoes"),
    ("9.jpg;2.jpg", "Hat", "hats"),
    ("8.jpg;9.jpg", "Cap", "hats"),
    ("2.jpg", "Belt", "belts"),
]


def test_items_have_the_pictures_that_a_cell_names_each_once_and_in_order(images):
    lines = []
    made = items_of(images, SEVERAL, separator=";", require="any", warn=lines.append)
    id_of = dict(zip(made.items["text"], made.items["item_id"], strict=True))
    assert made.items["image"].tolist() == ["1.jpg", "2.jpg", "", "2.jpg"]
    assert made.pictures.to_numpy().tolist() == [
        [id_of["Boots"], "1.jpg"],
        [id_of["Boots"], "shoes/3.jpg"],
        [id_of["Hat"], "2.jpg"],
        [id_of["Belt"], "2.jpg"],
    ]
    assert made.incomplete[["row", "lacks", "image"]].to_numpy().tolist() == [
        [3, "picture", "8.jpg;9.jpg"]
    ]
    assert made.rejected.empty
    assert lines == [
        "catalog.columns.image: 1 picture is left out of items that have others, such as '9.jpg' "
        "of row 2; most often (once): image not found in the folder catalog.images"
    ]


def test_an_item_is_named_by_all_its_pictures_and_one_alone_as_ever(images):
    items = items_of(images, SEVERAL, separator=";", require="any").items
    assert items["item_id"].tolist() == [
        make_item_id(["1.jpg", "shoes/3.jpg"], "Boots", "shoes"),
        make_item_id(["2.jpg"], "Hat", "hats"),
        make_item_id([], "Cap", "hats"),
        make_item_id(["2.jpg"], "Belt", "belts"),
    ]


def test_a_picture_that_is_not_there_is_a_mistake_also_beside_others(images):
    with pytest.raises(InputError, match=r"row 2 .*image not found in .*: 9\.jpg; 1 more row"):
        items_of(images, SEVERAL, separator=";", require="any", on_bad_row="error")


def test_without_any_of_its_pictures_a_row_is_rejected_where_both_are_required(images):
    made = items_of(images, SEVERAL, separator=";")
    assert made.rejected[["row", "reason"]].to_numpy().tolist() == [
        [3, "image not found in the folder catalog.images"]
    ]


def test_rows_of_one_id_are_one_item(images):
    rows = [
        ("1.jpg", "Boots", "shoes", "boots", "m"),
        ("2.jpg", "", "", "boots", ""),
        ("shoes/3.jpg", "Boots", "hats", "boots", ""),
    ]
    made = items_of(images, rows, id="handle", group="models")
    assert made.items[["image", "text", "class_path", "group", "row"]].to_numpy().tolist() == [
        ["1.jpg", "Boots", "shoes", "m", 1]
    ]
    assert made.pictures["image"].tolist() == ["1.jpg", "2.jpg"]
    assert made.rejected[["row", "reason"]].to_numpy().tolist() == [
        [3, "another class than row 1 of the same id"]
    ]
