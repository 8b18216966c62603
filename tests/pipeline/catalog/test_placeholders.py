import pandas as pd
import pytest

from pipeline.catalog.items import INCOMPLETE_COLUMNS, Items
from pipeline.catalog.placeholders import (
    doubt_placeholders,
    find_placeholders,
    without_placeholders,
)
from pipeline.catalog.settings import PlaceholderSettings
from pipeline.core.errors import InputError
from tests.pipeline.catalog.frames import pictures_of, with_compared

COLUMNS = ["kind", "value", "items", "classes", "most_frequent_class", "first_row"]


def make_items(num_items, num_classes):
    """Items that have nothing in common but their classes."""
    numbers = range(num_items)
    items = pd.DataFrame(
        {
            "item_id": [f"id {n}" for n in numbers],
            "image": [f"{n}.jpg" for n in numbers],
            "digest": [f"content {n}" for n in numbers],
            "text": [f"product {'o' * n}" for n in numbers],
            "class_path": [f"class {n % num_classes}" for n in numbers],
            "group": "",
        },
        dtype="str",
    )
    return items.assign(row=[n + 1 for n in numbers])


def table_of(items):
    return items[["row", "image", "text"]].assign(classes=items["class_path"])


NO_ROWS = pd.DataFrame(columns=["row", "image", "text", "classes", "reason"])


def without(items, table, *, require="both"):
    found = Items(items, NO_ROWS, pd.DataFrame(columns=INCOMPLETE_COLUMNS), pictures_of(items))
    return without_placeholders(found, table, find(items), require)


def find(items, **changed):
    settings = PlaceholderSettings(**{"share": 0.001, "classes": 5, "largest": 0.5, **changed})
    return find_placeholders(with_compared(items), pictures_of(items), settings)


def test_one_picture_of_eight_products_in_eight_classes_is_a_placeholder():
    items = make_items(100, 10)
    items.loc[10:17, "digest"] = "no image"
    (found,) = find(items).itertuples(index=False, name=None)
    assert found == ("picture", "10.jpg", 8, 8, "class 0", 11)
    assert list(find(items).columns) == COLUMNS


def test_one_text_of_many_products_is_a_placeholder_however_it_is_written():
    items = make_items(100, 10)
    items.loc[10:15, "text"] = ["Gift card", "GIFT  card"] * 3
    assert find(items).to_numpy().tolist() == [["text", "Gift card", 6, 6, "class 0", 11]]


def few_classes(items):
    items.loc[:29, "digest"] = "photo"
    items.loc[:29, "class_path"] = ["a", "b"] * 15


def mostly_of_one_class(items):
    items.loc[:29, "digest"] = "photo"
    items.loc[:29, "class_path"] = ["a"] * 20 + list("bcdefghijk")


def one_product_under_many_classes(items):
    items.loc[:29, "digest"] = "photo"
    items.loc[:29, "text"] = ["Hero hoodie black S", "Hero hoodie red M"] * 15


def variants_of_one_group(items):
    items.loc[:29, "digest"] = "photo"
    items.loc[:29, "group"] = "product"


def few_of_a_large_catalogue(items):
    items.loc[:14, "text"] = "red hat"


@pytest.mark.parametrize(
    "change",
    [
        few_classes,
        mostly_of_one_class,
        one_product_under_many_classes,
        variants_of_one_group,
        few_of_a_large_catalogue,
    ],
)
def test_what_products_may_well_share_is_none(change):
    items = make_items(16000, 20)
    items["text"] = [f"text {n}" for n in range(16000)]
    # As words, since numbers are what variants differ in.
    items["text"] = items["text"].str.translate(str.maketrans("0123456789", "abcdefghij"))
    change(items)
    assert find(items).empty


def test_a_share_of_one_looks_for_none():
    items = make_items(100, 10)
    items.loc[10:60, "digest"] = "no image"
    assert len(find(items)) == 1
    assert find(items, share=1.0).empty
    assert find(items.assign(digest="blank"), share=1.0).empty


def test_items_with_a_placeholder_picture_are_rejected_with_their_rows_as_written():
    items = make_items(100, 10)
    items.loc[[3, 5, 7, 9, 10, 11], "digest"] = "no image"
    items.loc[20:25, "text"] = "Gift card"
    table = table_of(items)
    table["classes"] = " as written "
    kept, rejected, incomplete, _ = without(items, table)
    assert len(kept) == 94
    assert incomplete.empty
    assert rejected["row"].tolist() == [4, 6, 8, 10, 11, 12]
    assert rejected.iloc[0].tolist() == [
        4,
        "3.jpg",
        "product ooo",
        " as written ",
        "image is a placeholder: 6 items of 6 classes have this picture",
    ]
    assert len(doubts := list(doubt_placeholders(find(items)))) == 2
    assert "picture '3.jpg' of 6 items in 6 classes taken for a placeholder" in doubts[0]


def test_nothing_is_rejected_where_there_is_none():
    items = make_items(20, 4)
    kept, rejected, *_ = without(items, table_of(items))
    assert len(kept) == 20
    assert list(rejected.columns) == ["row", "image", "text", "classes", "reason"]
    assert rejected.empty
    assert list(doubt_placeholders(find(items))) == []


def test_a_catalogue_of_placeholders_alone_is_refused():
    items = make_items(20, 10).assign(digest="blank")
    with pytest.raises(InputError, match=r"every picture is a placeholder.*share to 1"):
        without(items, table_of(items))


def test_where_a_text_will_do_a_placeholder_is_no_picture_and_its_items_stay():
    items = make_items(100, 10)
    items.loc[[3, 5, 7, 9, 10, 11], "digest"] = "no image"
    items.loc[11, "text"] = ""
    kept, rejected, incomplete, _ = without(items, table_of(items), require="any")
    assert len(kept) == 99
    without_picture = kept[kept["image"] == ""]
    assert without_picture["item_id"].tolist() == ["id 3", "id 5", "id 7", "id 9", "id 10"]
    assert (without_picture["digest"] == "").all(), "or they would share a picture"
    assert rejected["row"].tolist() == [12]
    assert incomplete["row"].tolist() == [4, 6, 8, 10, 11]
    assert incomplete["lacks"].unique().tolist() == ["picture"]
    assert incomplete["reason"].str.startswith("image is a placeholder: 6 items").all()


def test_what_items_lack_is_no_placeholder():
    items = make_items(100, 10)
    items.loc[:49, ["image", "digest"]] = ""
    items.loc[50:99, "text"] = ""
    assert find(items).empty


def test_products_without_a_picture_are_told_apart_by_themselves():
    items = make_items(100, 10)
    items.loc[10:15, ["image", "digest"]] = ""
    items.loc[10:15, "text"] = "Gift card"
    assert find(items)["kind"].tolist() == ["text"]


@pytest.mark.parametrize("position", [0, 1])
def test_a_placeholder_among_several_pictures_is_left_out_and_the_item_stays(position):
    items = make_items(100, 10)
    own = pictures_of(items)
    placed = own.iloc[10:18].assign(image="none.jpg", digest="no image")
    pictures = pd.concat([own, placed] if position else [placed, own], ignore_index=True)
    first = pictures.drop_duplicates("item_id").set_index("item_id").loc[items["item_id"]]
    items = items.assign(image=first["image"].to_numpy(), digest=first["digest"].to_numpy())
    settings = PlaceholderSettings(share=0.001, classes=5, largest=0.5)
    (found,) = find_placeholders(with_compared(items), pictures, settings).to_numpy().tolist()
    assert found == ["picture", "none.jpg", 8, 8, "class 0", 11]
    made = Items(items, NO_ROWS, pd.DataFrame(columns=INCOMPLETE_COLUMNS), pictures)
    common = find_placeholders(with_compared(items), pictures, settings)
    kept, rejected, incomplete, left = without_placeholders(made, table_of(items), common, "both")
    assert rejected.empty
    assert incomplete.empty
    assert kept["image"].tolist() == [f"{n}.jpg" for n in range(100)]
    assert kept["digest"].tolist() == own["digest"].tolist()
    assert set(left["image"]) == set(own["image"])
