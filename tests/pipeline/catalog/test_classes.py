import numpy as np
import pytest

from pipeline.catalog.classes import class_indices, class_name, make_classes
from pipeline.errors import InputError
from pipeline.files.json_file import read_json, write_json

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


def test_classes_do_not_depend_on_the_order_of_items():
    for label in ("path", "leaf"):
        forward = make_classes(PATHS, separator="<", label=label)
        assert make_classes(PATHS[::-1], separator="<", label=label) == forward


@pytest.mark.parametrize(("paths", "label"), [(["a<b", "a<b"], "path"), (["a<b", "c<b"], "leaf")])
def test_one_class_is_too_few(paths, label):
    with pytest.raises(InputError, match=r"all items are of one class.*catalog\.label"):
        make_classes(paths, separator="<", label=label)


@pytest.mark.parametrize("label", ["path", "leaf"])
def test_indices_point_at_the_classes_of_the_items(tmp_path, label):
    write_json(tmp_path / "classes.json", make_classes(PATHS, separator="<", label=label))
    classes = read_json(tmp_path / "classes.json")
    index_N = class_indices(classes, PATHS)
    names = [classes["classes"][index]["name"] for index in index_N]
    assert names == [class_name(path, "<", label) for path in PATHS]
    assert index_N.dtype == np.int64


def test_an_unknown_class_is_an_input_error():
    classes = make_classes(PATHS, separator="<", label="path")
    with pytest.raises(InputError, match=r"class 'men<hats' is not in classes\.json"):
        class_indices(classes, ["bags", "men<hats"])
