import hashlib

import pandas as pd
import pytest

from pipeline.catalog.items import (
    ITEM_COLUMNS,
    doubt_incomplete,
    make_item_id,
    make_items,
    normalize_split,
)
from pipeline.catalog.read import read_catalog
from pipeline.core.errors import BadRowError, InputError
from pipeline.pictures.folder import ImageFolder
from tests.pipeline.catalog.frames import COLUMNS

GOOD = [
    ("1.jpg", "Chloé boots", "shoes<boots"),
    ("./2.jpg", " aeydē\n“Dahlia”,  black ", " shoes < ankle   boots "),
    ("shoes/3.jpg", "Tote & pouch", "bags"),
]


@pytest.fixture
def images(tmp_path):
    (tmp_path / "images" / "shoes").mkdir(parents=True)
    for name in ("1.jpg", "2.jpg", "shoes/3.jpg"):
        (tmp_path / "images" / name).write_bytes(b"x")
    return tmp_path / "images"


def run(
    images,
    rows,
    *,
    require="both",
    on_bad_row="skip",
    columns=("image", "text", "classes"),
    warn=None,
    **names,
):
    path = images.parent / "catalog.csv"
    pd.DataFrame(rows, columns=list(columns)).to_csv(path, index=False)
    table = read_catalog(path, COLUMNS.model_copy(update=names))
    return make_items(
        table,
        ImageFolder(images),
        separator="<",
        separator_images=None,
        require=require,
        on_bad_row=on_bad_row,
        warn=warn or (lambda line: None),
    )


def test_items_are_normalised_and_keep_their_order(images):
    items, rejected, *_ = run(images, GOOD)
    assert list(items.columns) == [*ITEM_COLUMNS, "group", "split", "row"]
    assert items[["image", "text", "class_path"]].to_numpy().tolist() == [
        ["1.jpg", "Chloé boots", "shoes<boots"],
        ["2.jpg", "aeydē “Dahlia”,  black", "shoes<ankle boots"],
        ["shoes/3.jpg", "Tote & pouch", "bags"],
    ]
    assert (items[["group", "split"]] == "").all(axis=None)
    assert list(rejected.columns) == ["row", "image", "text", "classes", "reason"]
    assert rejected.empty


def test_every_unusable_row_is_listed_as_written_with_its_reason(images):
    rows = [
        *GOOD,
        ("", "No picture", "bags"),
        ("9.jpg", "Missing picture", "bags"),
        ("../catalog.csv", "Outside", "bags"),
        ("1.jpg", "\t", "bags"),
        ("1.jpg", "No class", ""),
        ("1.jpg", "Half a class", "bags<<totes"),
        ("./1.jpg", "Chloé boots ", "shoes <boots"),
    ]
    items, rejected, *_ = run(images, rows)
    assert len(items) == 3
    assert rejected["reason"].tolist() == [
        "image is empty",
        "image not found in the folder catalog.images",
        "image lies outside the folder catalog.images",
        "text is empty",
        "class path is empty",
        "class path has an empty part",
        "duplicate of row 1",
    ]
    written = list(rejected[["row", "image", "text", "classes"]].itertuples(index=False, name=None))
    assert written == [(number, *row) for number, row in enumerate(rows, start=1)][3:]


def test_a_row_that_could_not_be_read_is_rejected_for_that(images):
    path = images.parent / "catalog.csv"
    path.write_text("image,text,classes\n1.jpg,Bag,bags\n2.jpg,Hat\n")
    table = read_catalog(path, COLUMNS)
    items, rejected, *_ = make_items(
        table,
        ImageFolder(images),
        separator="<",
        separator_images=None,
        require="any",
        on_bad_row="skip",
        warn=pytest.fail,
    )
    assert items["text"].tolist() == ["Bag"]
    assert rejected.to_numpy().tolist() == [
        [2, "2.jpg", "Hat", "", "2 fields where the column names are 3"]
    ]


def test_a_missing_picture_is_not_replaced_by_one_of_the_same_name_elsewhere(images):
    (images / "3.jpg").write_bytes(b"another product")
    (images / "shoes" / "3.jpg").unlink()
    items, rejected, *_ = run(images, GOOD, warn=pytest.fail)
    assert len(items) == 2
    (reason,) = rejected["reason"]
    assert reason.startswith(
        "image not found in the folder catalog.images; it is there without its first folder"
    )


def test_folders_in_front_are_left_out_of_all_names_and_told(images):
    lines = []
    rows = [(f"export/pictures/{image.removeprefix('./')}", *rest) for image, *rest in GOOD]
    items, rejected, *_ = run(images, rows, warn=lines.append)
    assert rejected.empty
    assert items["image"].tolist() == ["1.jpg", "2.jpg", "shoes/3.jpg"]
    assert lines == [
        "catalog.columns.image: names of pictures are read without their first 2 folders: so 3 "
        "are found, and 0 as they stand"
    ]


def test_one_picture_under_two_names_is_told(images):
    lines = []
    rows = [("women/1.jpg", "A", "bags"), ("men/1.jpg", "B", "bags"), ("men/2.jpg", "C", "bags")]
    items, *_ = run(images, [*rows, ("men/2.jpg", "D", "bags")], warn=lines.append)
    assert items["image"].tolist() == ["1.jpg", "1.jpg", "2.jpg", "2.jpg"]
    assert lines[1:] == [
        "catalog.columns.image: 1 picture has several names, such as 'men/1.jpg' and "
        "'women/1.jpg' for '1.jpg'; if these are different pictures, put each where its name says"
    ]


def test_item_ids_follow_from_the_content_alone(images):
    items, *_ = run(images, GOOD)
    ids = dict(zip(items["image"], items["item_id"], strict=True))
    # sha256 of the JSON list, accents escaped, cut to 16 digits.
    content = b'["1.jpg", "Chlo\\u00e9 boots", "shoes<boots"]'
    assert ids["1.jpg"] == hashlib.sha256(content).hexdigest()[:16]
    rows = [("x.jpg", "bad", "bags"), *reversed(GOOD), ("1.jpg", "Another", "bags")]
    again, *_ = run(images, rows)
    assert again["item_id"].is_unique
    assert again["row"].tolist() == [2, 3, 4, 5]
    assert again["item_id"].tolist()[:3] == [ids["shoes/3.jpg"], ids["2.jpg"], ids["1.jpg"]]


def test_item_ids_tell_apart_where_one_value_ends():
    assert make_item_id(["a"], "b", "c") != make_item_id(["a"], 'b", "c', "")
    assert make_item_id(["ab"], "c", "d") != make_item_id(["a"], "bc", "d")


def test_group_and_split_are_handed_on(images):
    rows = [(*GOOD[0], " g1 ", "Validation"), (*GOOD[1], "", "TRAIN"), (*GOOD[2], "g1", "other")]
    columns = ("image", "text", "classes", "group", "split")
    items, rejected, *_ = run(images, rows, columns=columns, group="group", split="split")
    assert items["group"].tolist() == ["g1", ""]
    assert items["split"].tolist() == ["val", "train"]
    assert rejected["reason"].tolist() == ["split is 'other', not train, val or test"]


def test_on_bad_row_error_stops_at_the_first(images):
    rows = [GOOD[0], ("9.jpg", "Missing", "bags"), GOOD[1], ("1.jpg", "", "bags")]
    with pytest.raises(InputError) as caught:
        run(images, rows, on_bad_row="error")
    message = str(caught.value)
    assert "row 2 (image '9.jpg')" in message
    assert "image not found" in message
    assert "1 more row cannot either" in message
    assert "text is empty" not in message


def test_on_bad_row_error_lets_a_clean_catalogue_pass(images):
    items, rejected, *_ = run(images, GOOD, on_bad_row="error")
    assert (len(items), len(rejected)) == (3, 0)


def test_no_usable_row_is_an_error_with_the_commonest_reason(images):
    rows = [("1.jpg", "", "bags"), ("8.jpg", "Bag", "bags"), ("9.jpg", "Bag", "bags")]
    with pytest.raises(InputError, match=r"none of 3 rows.*\(2 times\): image not found.*row 1"):
        run(images, rows)


LACKING = [
    *GOOD,
    ("", "No picture", "bags"),
    ("9.jpg", "Missing picture", "bags"),
    ("1.jpg", "\t", "bags"),
    ("9.jpg", " ", "bags"),
    ("", "No picture ", "bags"),
]


def test_a_row_with_a_picture_or_a_text_alone_is_an_item_that_lacks_the_other(images):
    items, rejected, incomplete, _ = run(images, LACKING, require="any")
    assert items[["image", "text"]].to_numpy().tolist()[3:] == [
        ["", "No picture"],
        ["", "Missing picture"],
        ["1.jpg", ""],
    ]
    assert items["item_id"].is_unique
    assert rejected[["row", "reason"]].to_numpy().tolist() == [
        [7, "image not found in the folder catalog.images and text is empty"],
        [8, "duplicate of row 4"],
    ]
    assert incomplete[["row", "image", "text", "lacks", "reason"]].to_numpy().tolist() == [
        [4, "", "No picture", "picture", "image is empty"],
        [5, "9.jpg", "Missing picture", "picture", "image not found in the folder catalog.images"],
        [6, "1.jpg", "\t", "text", "text is empty"],
    ]
    assert incomplete["item_id"].tolist() == items["item_id"].tolist()[3:]
    assert doubt_incomplete(incomplete, len(items)).startswith(
        "catalog.require: of 6 items 2 have no picture and 1 has no text that can be used; most "
        "often (once): "
    )


def test_items_that_have_both_are_the_same_whatever_is_required(images):
    any_items, *_ = run(images, LACKING, require="any")
    both_items, rejected, incomplete, _ = run(images, LACKING, require="both")
    assert any_items.head(3).equals(both_items)
    assert len(rejected) == 5
    assert incomplete.empty
    assert doubt_incomplete(incomplete, 3) is None


def test_an_empty_cell_is_no_mistake_but_a_picture_that_is_not_there_is(images):
    items, *_ = run(images, [*GOOD, LACKING[3]], require="any", on_bad_row="error")
    assert len(items) == 4
    with pytest.raises(InputError, match=r"row 4 \(image '9.jpg'\) cannot be used: image not"):
        run(images, [*GOOD, LACKING[4]], require="any", on_bad_row="error")


def test_a_catalogue_of_which_no_picture_is_found_is_not_taken_for_one_of_texts(images):
    rows = [(f"elsewhere/{n}.png", f"Bag {n}", "bags") for n in range(3)]
    with pytest.raises(InputError, match=r"catalog.images: of 3 pictures .* none can be used"):
        run(images, rows, require="any")


@pytest.mark.parametrize(
    ("written", "split"),
    [
        (" Train", "train"),
        ("training", "train"),
        ("val", "val"),
        ("valid", "val"),
        ("VALIDATION", "val"),
        ("dev", "val"),
        ("test", "test"),
        ("Testing", "test"),
    ],
)
def test_usual_words_for_splits_are_understood(written, split):
    assert normalize_split(written) == split


@pytest.mark.parametrize("written", ["", "0", "holdout"])
def test_other_words_for_splits_are_refused(written):
    with pytest.raises(BadRowError, match="not train, val or test"):
        normalize_split(written)
