from contextlib import closing
from functools import partial

import lancedb
import pyarrow as pa
import pytest

from pipeline.core.errors import InputError
from pipeline.stores.lancedb_store import LancedbStore
from tests.pipeline.stores import contract

pytestmark = pytest.mark.slow  # LanceDB takes seconds to import


@pytest.fixture
def open_store(tmp_path):
    return partial(LancedbStore, str(tmp_path / "lance"), "items")


def test_searches_equal_those_of_the_index(tmp_path, open_store, catalogue):
    def search(query_D, k, within, asked):
        table = lancedb.connect(tmp_path / "lance").open_table("items")
        wanted = [] if within is None else [f"array_has(class_nodes, '{quoted(within)}')"]
        wanted += ["price < 5 and brand = 'Nike'"] if asked else []
        found = table.search(query_D).metric("cosine").limit(k)
        if wanted:
            found = found.where(" and ".join(wanted))
        return [(hit["item_id"], hit["_distance"]) for hit in found.to_list()]

    def quoted(text):
        return text.replace("'", "''")

    contract.check_searches_equal_those_of_the_index(open_store, search, catalogue)


def test_a_collection_follows_the_catalogue(open_store, make_rows):
    contract.check_a_collection_follows_the_catalogue(open_store, make_rows)


def test_a_killed_run_is_completed_by_another(open_store, make_rows, monkeypatch):
    contract.check_a_killed_run_is_completed_by_another(open_store, make_rows, monkeypatch)


def test_what_cannot_be_mixed_is_refused(open_store, make_rows):
    contract.check_what_cannot_be_mixed_is_refused(open_store, make_rows)


def test_attributes_keep_their_types(tmp_path, open_store, make_rows):
    contract.fill(open_store, make_rows(range(3)))
    table = lancedb.connect(tmp_path / "lance").open_table("items")
    (row,) = table.search().where("`shoe size` = 0 and day = date '2024-01-01'").to_list()
    assert (row["price"], row["cost"], row["brand"], row["sale"]) == (0.9, 1.5, None, True)
    assert row["sold"].utcoffset().total_seconds() == 0
    assert row["text"] == "thing \u00e9 0"


def test_a_folder_that_is_something_else_is_left_alone(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").touch()
    with pytest.raises(InputError, match="is a file"):
        LancedbStore(str(tmp_path / "file"), "items")
    with pytest.raises(InputError, match="holds something else"):
        LancedbStore(str(tmp_path / "full"), "items")


def test_a_table_of_somebody_else_is_left_alone_even_if_it_is_to_be_replaced(
    tmp_path, open_store, make_rows
):
    table = lancedb.connect(tmp_path / "lance").create_table("items", pa.table({"a": [1]}))
    for replace in (False, True):
        with pytest.raises(InputError, match="not made by huse export; choose another --name"):
            contract.fill(open_store, make_rows(range(3)), replace=replace)
    assert table.count_rows() == 1


def test_a_name_that_lance_does_not_have_is_one_line(open_store, make_rows, make_catalogue):
    rows = make_rows(range(3))
    place = rows.schema.get_field_index("price")
    schema = rows.schema.set(place, rows.schema.field("price").with_name("net.price"))
    with (
        closing(open_store()) as store,
        pytest.raises(InputError, match="no column names with a dot; call net"),
    ):
        store.create(rows.description, schema)


def test_what_lance_says_is_one_line_without_a_password():
    with pytest.raises(InputError, match="table items: ") as caught:
        contract.ids_of(partial(LancedbStore, "nowhere://user:hush@host/place", "items"))
    assert "\n" not in str(caught.value)
    assert "hush" not in str(caught.value)
