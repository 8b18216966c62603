import json

import numpy as np
import pandas as pd
import pytest

from pipeline.explore import space_map as module
from pipeline.explore.space_map import ClassOnMap, SpaceMap


def items(count):
    n = np.arange(count)
    return pd.DataFrame(
        {
            "item_id": [f"i{one}" for one in n],
            "image": ["" if one == 0 else f"{one}.png" for one in n],
            "text": [f"thing {one}" for one in n],
            "class_path": [("bags<big", "bags", "hats", "toys")[one % 4] for one in n],
            # Bags and hats side by side, toys far away.
            "x": np.array([0.0, 0.0, 1.0, 9.0])[n % 4],
            "y": n.astype(float),
        }
    )


def test_a_point_has_its_place_its_class_and_what_names_it():
    space = SpaceMap(items(8), "<")
    found = space.points(str)
    assert found["classes"] == ["bags", "hats", "toys"]
    assert len(found["points"]) == len(space) == space.total == 8
    first, second = found["points"][:2]
    assert first == [0.0, 0.0, 0, None, "i0", "thing 0", "bags \u203a big"]
    assert second[3:] == ["1", "i1", "thing 1", "bags"]
    places = np.array([point[:2] for point in found["points"]])
    assert (places.min(), places.max()) == (0.0, 1.0)
    json.dumps(found)


def test_items_without_a_place_are_left_out():
    table = items(8)
    table.loc[3, ["x", "y"]] = np.nan
    space = SpaceMap(table, "<")
    assert (len(space), space.total) == (7, 7)
    assert "i3" not in [point[4] for point in space.points(str)["points"]]
    assert np.isfinite([point[:2] for point in space.points(str)["points"]]).all()
    assert SpaceMap(table.assign(x=np.nan), "<").points(str) == {"classes": [], "points": []}


def test_of_many_items_a_fair_share_is_shown(monkeypatch):
    monkeypatch.setattr(module, "MOST_POINTS", 10)
    space = SpaceMap(items(100), "<")
    assert (len(space), space.total) == (10, 100)
    ids = [point[4] for point in space.points(str)["points"]]
    assert (ids[0], ids[-1]) == ("i0", "i99")


def test_the_table_says_which_classes_lie_side_by_side():
    assert SpaceMap(items(8), "<").classes() == [
        ClassOnMap("bags", 4, "hats"),
        ClassOnMap("hats", 2, "bags"),
        ClassOnMap("toys", 2, "hats"),
    ]
    one = items(8).assign(class_path="bags")
    assert SpaceMap(one, "<").classes() == [ClassOnMap("bags", 8, None)]


@pytest.mark.parametrize("count", [1, 2])
def test_a_point_alone_is_on_the_map_too(count):
    assert len(SpaceMap(items(count), "<").points(str)["points"]) == count
