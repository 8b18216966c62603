from pathlib import Path

import pytest

from pipeline.catalog.columns import find_columns
from pipeline.catalog.rows import Source
from pipeline.core.errors import InputError

TABLE = Path("data/x.csv")


def test_positions_come_in_the_order_of_the_wanted_columns():
    wanted = {"image": "picture", "text": "name", "classes": "class"}
    assert find_columns(TABLE, ["class", "id", "name", "picture"], wanted, Source()) == [3, 2, 0]


def test_one_column_may_serve_two_roles():
    assert find_columns(TABLE, ["a", "b"], {"image": "b", "text": "b"}, Source()) == [1, 1]


def test_a_missing_column_names_the_key_the_file_and_what_is_there():
    with pytest.raises(InputError) as caught:
        find_columns(
            TABLE, ["image", "name", "classes"], {"image": "image", "text": "title"}, Source()
        )
    assert str(caught.value) == (
        "catalog.columns.text: no column 'title' in data/x.csv; it has image, name, classes"
    )


def test_a_wanted_name_that_is_there_twice_is_refused():
    with pytest.raises(InputError, match=r"catalog\.columns\.text: 2 columns are called 'name'"):
        find_columns(TABLE, ["image", "name", "name"], {"image": "image", "text": "name"}, Source())


def test_other_names_may_repeat():
    assert find_columns(TABLE, ["image", "", ""], {"image": "image"}, Source()) == [0]


def find_optional(names):
    """What is said of a table whose two columns may both be called otherwise."""
    said = []
    wanted = {"image": "image", "text": "text"}
    source = Source("table", "--{}-column", frozenset(wanted), said.append)
    return find_columns(TABLE, names, wanted, source), said


def test_a_column_that_may_be_missing_is_told_of_where_another_may_have_been_meant():
    places, said = find_optional(["image", "name"])
    assert places == [0, None]
    assert said == [
        "no column 'text' in data/x.csv, so image alone is used; it has image, name; "
        "name the column with --text-column"
    ]
    assert find_optional(["text"]) == ([None, 0], [])
    assert find_optional(["price", "text", "image"]) == ([2, 1], [])


def test_a_table_with_none_of_the_columns_is_refused_with_what_to_name():
    with pytest.raises(InputError) as caught:
        find_optional(["title", "file"])
    assert str(caught.value) == (
        "--image-column, --text-column: no column 'image', 'text' in data/x.csv; it has title, file"
    )
