import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.audit.near_pairs import find_near, one_each
from pipeline.audit.settings import PairsSettings
from pipeline.audit.shared_content import COLUMNS, find_shared

SHOWN = ["item_id", "other_id", "items", "agreeing"]
LABELS = np.arange(20) % 12


def pairs(paths, *near):
    """Rows for pairs of positions, the nearest first."""
    items = pd.DataFrame({"item_id": [f"i{n}" for n in range(len(paths))], "class_path": paths})
    found = one_each(items, np.array(near, dtype=np.int64).reshape(-1, 2), "near_picture")
    assert (found["kind"] == "near_picture").all()
    return found[SHOWN].to_numpy().tolist()


def test_an_item_is_paired_with_the_nearest_that_is_filed_differently():
    # The first agrees with one of three, so half of its set is filed as it is.
    assert pairs(["a", "a", "b", "b"], (0, 1), (0, 2), (0, 3)) == [
        ["i0", "i1", 4, 2],
        ["i2", "i0", 2, 1],
        ["i3", "i0", 2, 1],
    ]


def test_the_list_is_linear_in_the_items():
    every = [(one, other) for other in range(20) for one in range(other)]
    assert len(pairs(["a"] * 20, *every)) <= 20


def test_at_a_tie_the_item_is_not_the_one_whose_class_is_first_in_the_alphabet():
    assert pairs(["a", "b"], (0, 1)) == [["i1", "i0", 2, 1]]
    assert pairs(["b", "a"], (0, 1)) == [["i0", "i1", 2, 1]]


def test_no_pairs_are_no_rows():
    assert pairs(["a", "b"]) == []


@pytest.fixture
def pictured(catalogue, tmp_path):
    """An index, items and what they share: the fourth has a crop of the first one's picture."""
    index, _ = catalogue(LABELS)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(20):
        small = np.random.default_rng(number).integers(0, 255, (7, 7, 3), dtype=np.uint8)
        image = Image.fromarray(small).resize((200, 160), Image.Resampling.BICUBIC)
        image.save(folder / f"{number}.png")
    with Image.open(folder / "0.png") as image:
        image.crop((8, 12, 190, 155)).save(folder / "3.png", "JPEG", quality=60)
    items = pd.read_parquet(tmp_path / "items").assign(
        image=[f"{number}.png" for number in range(20)],
        text=[f"thing number {number}" for number in range(20)],
    )
    items.loc[[5, 6], "text"] = ["felt hat with band", "hat of felt with band"]
    shared = pd.read_parquet(tmp_path / "groups").assign(near_text=range(20))
    return index, items, shared, folder


@pytest.mark.parametrize(
    ("neighbours", "found"),
    [
        (19, {("near_picture", "item-3", "item-0"), ("near_title", "item-6", "item-5")}),
        (0, {("near_title", "item-6", "item-5")}),
    ],
)
def test_near_pictures_and_titles_are_found_and_listed(pictured, neighbours, found):
    index, items, shared, folder = pictured
    near = find_near(index, items, shared, folder, "#fff", PairsSettings(neighbours=neighbours))
    assert {tuple(row) for row in near[["kind", "item_id", "other_id"]].to_numpy()} == found
    listed = find_shared(items[["item_id", "class_path"]].merge(shared), "<", near)
    assert list(listed.columns) == COLUMNS
    assert (listed["tree_distance"] > 0).sum() == len(found)


def test_of_near_titles_the_one_that_the_others_contradict_is_in_question(pictured):
    index, items, shared, folder = pictured
    titles = ["soft blue cotton towel", "cotton towel soft red blue", "soft blue cotton towel dry"]
    items.loc[[0, 1, 2], "text"] = titles
    items.loc[[0, 1, 2], "class_path"] = ["zoo", "zoo", "bath"]
    near = find_near(index, items, shared, folder, "#fff", PairsSettings(neighbours=0))
    listed = near[near["item_id"].isin(["item-0", "item-1", "item-2"])]
    assert listed[SHOWN].to_numpy().tolist() == [["item-2", "item-0", 2, 1]]
