from pathlib import Path

import pytest

from pipeline.catalog.columns import find_columns
from pipeline.catalog.rows import Source
from pipeline.errors import InputError

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
