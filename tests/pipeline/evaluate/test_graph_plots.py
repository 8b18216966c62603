import base64
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.evaluate.graph_plots import (
    MOST_CLASSES,
    draw_heat_map,
    graph_heat_map,
    nearest_classes,
    neighbour_table,
    write_graph_plots,
)


def classes(*names, counts=None):
    counts = counts or [1] * len(names)
    return [
        {"name": name, "parts": [name], "count": count}
        for name, count in zip(names, counts, strict=True)
    ]


@pytest.fixture
def two_pairs():
    """Distances of a to d: (a, c) and (b, d) are near."""
    adjacency_KK = np.full((4, 4), 0.9)
    np.fill_diagonal(adjacency_KK, 0)
    for one, other in ((0, 2), (1, 3)):
        adjacency_KK[one, other] = adjacency_KK[other, one] = 0.1
    return adjacency_KK


def test_nearest_classes_without_the_class_itself():
    # `small` is no distance away from `big`.
    adjacency_KK = np.array([[0, 0.5, 0.2], [0.5, 0, 0.0], [0.2, 0.0, 0]])
    found = nearest_classes(adjacency_KK, classes("big", "small", "hats"))
    assert [one.name for one in found] == ["big", "small", "hats"]
    assert found[0].neighbours == [("hats", 0.2), ("small", 0.5)]
    assert found[2].neighbours == [("small", 0.0), ("big", 0.2)]
    table = neighbour_table(found[:1])
    assert table.columns.tolist() == ["class", "rank", "neighbour", "distance"]
    assert table.to_numpy().tolist() == [["big", 1, "hats", 0.2], ["big", 2, "small", 0.5]]


def test_similar_classes_stand_side_by_side_in_the_heat_map(two_pairs):
    frame = graph_heat_map(two_pairs, classes("a", "b", "c", "d"))
    order = frame["class"].drop_duplicates().tolist()
    assert abs(order.index("a") - order.index("c")) == 1
    assert abs(order.index("b") - order.index("d")) == 1
    pair = frame[(frame["class"] == "c") & (frame["other"] == "a")]
    assert pair["distance"].tolist() == [0.1]


def test_of_many_classes_the_largest_are_shown():
    count = MOST_CLASSES + 2
    adjacency_KK = np.ones((count, count)) - np.eye(count)
    items = [1 if n in (0, 3) else 5 for n in range(count)]
    entries = classes(*[f"c{n}" for n in range(count)], counts=items)
    frame = graph_heat_map(adjacency_KK, entries)
    assert len(frame) == MOST_CLASSES**2
    assert not {"c0", "c3"} & set(frame["class"])
    names = [one.name for one in nearest_classes(adjacency_KK, entries)]
    assert names == [f"c{n}" for n in range(count) if n not in (0, 3)]


def test_the_picture_has_a_pixel_for_each_pair(two_pairs):
    found = draw_heat_map(graph_heat_map(two_pairs, classes("a", "b", "c", "d")))
    assert sorted(found.names) == ["a", "b", "c", "d"]
    assert found.farthest == 0.9
    picture = Image.open(io.BytesIO(base64.b64decode(found.png)))
    assert picture.size == (4, 4)
    # Yellow where a class meets itself, dark violet where it meets the farthest.
    assert picture.getpixel((0, 0)) == picture.getpixel((3, 3)) == (253, 231, 37)
    assert picture.getpixel((0, 3)) == (68, 1, 84)
    assert picture.getpixel((1, 0)) != picture.getpixel((2, 0))


def test_classes_at_no_distance_make_a_picture_too():
    found = draw_heat_map(graph_heat_map(np.zeros((2, 2)), classes("a", "b")))
    assert found.farthest == 0


def test_both_files_are_written(tmp_path, two_pairs):
    entries = classes("a", "b", "c", "d")
    heat_map = graph_heat_map(two_pairs, entries)
    write_graph_plots(tmp_path, heat_map, nearest_classes(two_pairs, entries))
    assert len(pd.read_csv(tmp_path / "graph.csv")) == 16
    table = pd.read_csv(tmp_path / "graph_neighbours.csv")
    assert table[table["rank"] == 1]["neighbour"].tolist() == ["c", "d", "a", "b"]
