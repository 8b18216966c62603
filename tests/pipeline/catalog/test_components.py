import pandas as pd
import pytest

from pipeline.catalog.components import find_components, number_values
from tests.pipeline.catalog.frames import pictures_of, with_compared


def frame(*rows):
    items = pd.DataFrame(rows, columns=["group", "digest", "text"], dtype="str")
    return with_compared(items.assign(item_id=[f"{number:02}" for number in range(len(items))]))


ITEMS = frame(
    ("g", "picture 0", "red leather bag"),
    ("g", "picture 1", "Blue Leather-Bag"),
    ("", "picture 1", "Grey  BAG"),
    ("", "picture 3", "grey bag"),
    ("", "picture 4", "straße"),
    ("h", "picture 5", "STRASSE"),
    ("", "picture 6", "hat"),
)


@pytest.mark.parametrize(
    ("keep_together", "sets"),
    [
        ([], [{0}, {1}, {2}, {3}, {4}, {5}, {6}]),
        (["group"], [{0, 1}, {2}, {3}, {4}, {5}, {6}]),
        (["image"], [{0}, {1, 2}, {3}, {4}, {5}, {6}]),
        (["text"], [{0}, {1}, {2, 3}, {4, 5}, {6}]),
        (["near_text"], [{0, 1}, {2, 3}, {4, 5}, {6}]),
        (["group", "text"], [{0, 1}, {2, 3}, {4, 5}, {6}]),
        # 0-1 share a group, 1-2 a picture, 2-3 a text: a chain is one component.
        (["group", "image", "text"], [{0, 1, 2, 3}, {4, 5}, {6}]),
        (["text", "image", "group", "text"], [{0, 1, 2, 3}, {4, 5}, {6}]),
    ],
)
def test_items_that_share_a_value_are_one_component(keep_together, sets):
    component_N = find_components(number_values(ITEMS, pictures_of(ITEMS)), keep_together)
    assert set(component_N) == set(range(len(sets)))
    found = [set((component_N == number).nonzero()[0]) for number in range(len(sets))]
    assert sorted(found, key=min) == sets


def test_a_value_links_within_its_own_column_only():
    items = frame(("x", "picture 0", "a"), ("", "x", "b"), ("", "picture 2", "x"))
    assert (
        len(
            set(
                find_components(
                    number_values(items, pictures_of(items)), ["group", "image", "text"]
                )
            )
        )
        == 3
    )


def test_values_are_numbered_each_kind_by_itself_without_chains():
    numbers = number_values(ITEMS, pictures_of(ITEMS))
    assert list(numbers) == ["item_id", "product", "picture", "text", "tied_text", "near_text"]
    assert set(numbers.drop(columns="item_id").dtypes.astype(str)) == {"int64"}

    def shared(column):
        rows = numbers.groupby(column).indices.values()
        return [set(found) for found in rows if len(found) > 1]

    assert shared("product") == [{0, 1}], "an item without a group is like no other"
    assert shared("picture") == [{1, 2}]
    assert shared("text") == [{2, 3}, {4, 5}]
    assert shared("near_text") == [{0, 1}, {2, 3}, {4, 5}]


def test_a_placeholder_text_links_no_items_and_is_the_same_text_all_the_same():
    numbers = number_values(ITEMS, pictures_of(ITEMS), ["Grey bag"])
    assert set(find_components(numbers, ["text", "near_text"])) == set(range(5))
    assert numbers["tied_text"].nunique() == numbers["near_text"].nunique() + 1 == 6
    assert numbers["text"].tolist() == number_values(ITEMS, pictures_of(ITEMS))["text"].tolist()


def test_items_that_share_one_of_several_pictures_have_one_number_with_all_that_hold_together():
    items = frame(("", "", "a"), ("", "", "b"), ("", "", "c"), ("", "", "d"), ("", "", "e"))
    pictures = pd.DataFrame(
        [("00", "p"), ("00", "q"), ("01", "r"), ("02", "q"), ("02", "s"), ("03", "s")],
        columns=["item_id", "digest"],
    )
    numbers = number_values(items, pictures)["picture"]
    # 0 and 2 share q, 2 and 3 share s; the last item has no picture.
    assert numbers.tolist() == [0, 1, 0, 0, 2]
    assert find_components(number_values(items, pictures), ["image"]).tolist() == [0, 1, 0, 0, 2]
