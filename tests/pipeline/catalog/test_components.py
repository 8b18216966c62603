import pandas as pd
import pytest

from pipeline.catalog.components import count_divided, find_components, number_values


def frame(*rows):
    items = pd.DataFrame(rows, columns=["group", "image", "text"], dtype="str")
    ids = [f"{number:02}" for number in range(len(items))]
    return items.assign(item_id=ids, digest=items["image"].map(lambda name: f"content of {name}"))


ITEMS = frame(
    ("g", "0.jpg", "red bag"),
    ("g", "1.jpg", "blue bag"),
    ("", "1.jpg", "Grey  BAG"),
    ("", "3.jpg", "grey bag"),
    ("", "4.jpg", "straße"),
    ("h", "5.jpg", "STRASSE"),
    ("", "6.jpg", "hat"),
)


@pytest.mark.parametrize(
    ("keep_together", "sets"),
    [
        ([], [{0}, {1}, {2}, {3}, {4}, {5}, {6}]),
        (["group"], [{0, 1}, {2}, {3}, {4}, {5}, {6}]),
        (["image"], [{0}, {1, 2}, {3}, {4}, {5}, {6}]),
        (["text"], [{0}, {1}, {2, 3}, {4, 5}, {6}]),
        (["group", "text"], [{0, 1}, {2, 3}, {4, 5}, {6}]),
        # 0-1 share a group, 1-2 a picture, 2-3 a text: a chain is one component.
        (["group", "image", "text"], [{0, 1, 2, 3}, {4, 5}, {6}]),
        (["text", "image", "group", "text"], [{0, 1, 2, 3}, {4, 5}, {6}]),
    ],
)
def test_items_that_share_a_value_are_one_component(keep_together, sets):
    component_N = find_components(ITEMS, keep_together)
    assert set(component_N) == set(range(len(sets)))
    found = [set((component_N == number).nonzero()[0]) for number in range(len(sets))]
    assert sorted(found, key=min) == sets


def test_a_value_links_within_its_own_column_only():
    items = frame(("x", "0.jpg", "a"), ("", "x", "b"), ("", "2.jpg", "x"))
    assert len(set(find_components(items, ["group", "image", "text"]))) == 3


def test_a_picture_is_known_by_content_and_one_that_cannot_be_read_by_its_path():
    items = frame(("", "a", "1"), ("", "b", "2"), ("", "c", "3"), ("", "d", "4"), ("", "d", "5"))
    items["digest"] = ["same", "same", "", "", ""]
    assert find_components(items, ["image"]).tolist() == [0, 0, 1, 2, 2]
    assert number_values(items)["picture"].tolist() == [0, 0, 1, 2, 2]


def test_divided_components_are_counted_by_item_and_not_by_position():
    split = ["train", "test", "train", "train", "val", "val", "test"]
    splits = pd.DataFrame({"item_id": ITEMS["item_id"], "split": split})[::-1]
    assert count_divided(ITEMS, splits, ["group", "image", "text"]) == 1  # {0, 1, 2, 3}
    assert count_divided(ITEMS, splits, ["group", "image"]) == 1  # {0, 1, 2}
    assert count_divided(ITEMS, splits, ["text"]) == 0


def test_values_are_numbered_each_kind_by_itself_without_chains():
    numbers = number_values(ITEMS)
    assert list(numbers) == ["product", "picture", "text", "near_text"]
    assert set(numbers.dtypes.astype(str)) == {"int64"}

    def shared(column):
        rows = numbers.groupby(column).indices.values()
        return [set(found) for found in rows if len(found) > 1]

    assert shared("product") == [{0, 1}], "an item without a group is like no other"
    assert shared("picture") == [{1, 2}]
    assert shared("text") == [{2, 3}, {4, 5}]
