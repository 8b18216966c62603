import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json, write_json
from pipeline.features.classes import (
    check_same_classes,
    class_indices,
    class_levels,
    class_name,
    class_names,
    item_classes,
    label_membership,
    make_classes,
)

PATHS = [
    "women<boots",
    "men<boots",
    "women<boots",
    "bags",
    "women<bags<totes",
    "men<belts",
    "kids<belts",
]


def test_a_class_is_the_path_or_its_last_part():
    assert class_name("a<b<c", "<", "path") == "a<b<c"
    assert class_name("a<b<c", "<", "leaf") == "c"
    assert class_name("a", "<", "leaf") == "a"
    assert class_name("a > b", " > ", "leaf") == "b"


def test_path_classes_are_sorted_and_counted():
    assert make_classes(PATHS, separator="<", label="path") == {
        "label": "path",
        "separator": "<",
        "classes": [
            {"name": "bags", "parts": ["bags"], "count": 1},
            {"name": "kids<belts", "parts": ["kids", "belts"], "count": 1},
            {"name": "men<belts", "parts": ["men", "belts"], "count": 1},
            {"name": "men<boots", "parts": ["men", "boots"], "count": 1},
            {"name": "women<bags<totes", "parts": ["women", "bags", "totes"], "count": 1},
            {"name": "women<boots", "parts": ["women", "boots"], "count": 2},
        ],
    }


def test_leaf_classes_take_the_path_with_most_items_then_the_first():
    entries = make_classes(PATHS, separator="<", label="leaf")["classes"]
    assert entries == [
        {"name": "bags", "parts": ["bags"], "count": 1},
        {"name": "belts", "parts": ["kids", "belts"], "count": 2},
        {"name": "boots", "parts": ["women", "boots"], "count": 3},
        {"name": "totes", "parts": ["women", "bags", "totes"], "count": 1},
    ]


def test_under_parts_every_part_is_a_class_and_a_path_has_several():
    classes = make_classes(PATHS, separator="<", label="parts")
    # bags has an item at the root and one below women: the first place of two equals. belts has
    # one below kids and one below men.
    assert classes["classes"] == [
        {"name": "bags", "parts": ["bags"], "count": 2},
        {"name": "belts", "parts": ["kids", "belts"], "count": 2},
        {"name": "boots", "parts": ["women", "boots"], "count": 3},
        {"name": "kids", "parts": ["kids"], "count": 1},
        {"name": "men", "parts": ["men"], "count": 2},
        {"name": "totes", "parts": ["women", "bags", "totes"], "count": 1},
        {"name": "women", "parts": ["women"], "count": 3},
    ]
    paths = {path["name"]: (path["labels"], path["count"]) for path in classes["paths"]}
    assert paths == {
        "bags": ([0], 1),
        "kids<belts": ([1, 3], 1),
        "men<belts": ([1, 4], 1),
        "men<boots": ([2, 4], 1),
        "women<bags<totes": ([0, 5, 6], 1),
        "women<boots": ([2, 6], 2),
    }
    assert item_classes(classes) == classes["paths"]
    membership_KL = label_membership(classes)
    assert membership_KL.shape == (6, 7)
    assert membership_KL.dtype == np.float32
    assert [np.flatnonzero(row).tolist() for row in membership_KL] == [p[0] for p in paths.values()]


def test_a_part_that_a_path_repeats_is_one_label():
    classes = make_classes(["shoes<shoes", "bags"], separator="<", label="parts")
    assert [entry["name"] for entry in classes["classes"]] == ["bags", "shoes"]
    assert classes["classes"][1]["parts"] == ["shoes"]
    assert [path["labels"] for path in classes["paths"]] == [[0], [1]]


@pytest.mark.parametrize("label", ["path", "leaf"])
def test_elsewhere_the_classes_of_items_are_the_classes(label):
    classes = make_classes(PATHS, separator="<", label=label)
    assert item_classes(classes) == classes["classes"]
    assert label_membership(classes) is None


def test_levels_number_the_prefixes_and_then_the_classes():
    paths = ["b", "a<x<1", "a<x<2", "a<y", "a"]
    classes = make_classes(paths, separator="<", label="path")
    assert [entry["name"] for entry in item_classes(classes)] == ["a", "a<x<1", "a<x<2", "a<y", "b"]
    # At level 2 the classes "a" and "b" end already, so they share nothing with anyone.
    expected_KL = [[0, 0, 0], [0, 1, 1], [0, 1, 2], [0, 2, 3], [1, 3, 4]]
    assert class_levels(classes).tolist() == expected_KL
    assert class_levels(classes).dtype == np.int64
    # Under `parts` an item's class is still its path.
    parts = make_classes(paths, separator="<", label="parts")
    assert class_levels(parts).tolist() == expected_KL


def test_without_a_hierarchy_there_is_one_level():
    classes = make_classes(["b", "a", "c"], separator="<", label="path")
    assert class_levels(classes).tolist() == [[0], [1], [2]]


def test_classes_do_not_depend_on_the_order_of_items():
    for label in ("path", "leaf", "parts"):
        forward = make_classes(PATHS, separator="<", label=label)
        assert make_classes(PATHS[::-1], separator="<", label=label) == forward


@pytest.mark.parametrize(
    ("paths", "label"),
    [(["a<b", "a<b"], "path"), (["a<b", "c<b"], "leaf"), (["a<b", "a<b"], "parts")],
)
def test_one_class_is_too_few(paths, label):
    with pytest.raises(InputError, match=r"all items are of one class.*catalog\.label"):
        make_classes(paths, separator="<", label=label)


@pytest.mark.parametrize("label", ["path", "leaf", "parts"])
def test_indices_point_at_the_classes_of_the_items(tmp_path, label):
    write_json(tmp_path / "classes.json", make_classes(PATHS, separator="<", label=label))
    classes = read_json(tmp_path / "classes.json")
    index_N = class_indices(classes, PATHS)
    names = [item_classes(classes)[index]["name"] for index in index_N]
    assert names == [class_name(path, "<", label) for path in PATHS]
    assert index_N.dtype == np.int64


def test_an_unknown_class_is_an_input_error():
    classes = make_classes(PATHS, separator="<", label="path")
    with pytest.raises(InputError, match=r"class 'men<hats' is not in classes\.json"):
        class_indices(classes, ["bags", "men<hats"])


def test_names_are_those_of_the_labels_and_of_the_paths():
    assert class_names(make_classes(["b<a", "c"], separator="<", label="path")) == ["b<a", "c"]
    parts = make_classes(["b<a", "c"], separator="<", label="parts")
    assert class_names(parts) == ["a", "b", "c", "b<a", "c"]


@pytest.mark.parametrize(
    ("found", "difference"),
    [
        (["bags", "hats", "caps"], "it has class 'caps' where the catalogue has class 'shoes'"),
        (["hats", "bags", "shoes"], "it has class 'hats' where the catalogue has class 'bags'"),
        (["bags", "hats"], "it has no class where the catalogue has class 'shoes'"),
        (
            ["bags", "hats", "shoes", "ties"],
            "it has class 'ties' where the catalogue has no class",
        ),
    ],
)
def test_the_first_class_that_differs_is_named(found, difference):
    wanted = ["bags", "hats", "shoes"]
    check_same_classes(wanted, wanted, "graph", "make it again")
    with pytest.raises(InputError) as caught:
        check_same_classes(found, wanted, "graph", "make it again")
    assert str(caught.value) == f"graph: made for other classes: {difference}; make it again"
