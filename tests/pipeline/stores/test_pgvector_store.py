import uuid
from functools import partial

import psycopg
import pytest
from psycopg import sql

from pipeline.core.errors import InputError
from pipeline.stores.pgvector_store import PgvectorStore
from tests.pipeline.stores import contract

NAME = 'Items "of" the shop'


@pytest.fixture
def open_store(postgres):
    return partial(PgvectorStore, NAME)


def rows_of(query, *values):
    with psycopg.connect() as connection:
        return connection.execute(
            sql.SQL(query).format(table=sql.Identifier(NAME)), values
        ).fetchall()


def test_searches_equal_those_of_the_index(open_store, catalogue):
    def search(query_D, k, within, asked):
        wanted = "TRUE" if within is None else "%s = ANY(class_nodes)"
        wanted += " AND price < 5 AND brand = 'Nike'" if asked else ""
        vector = str(query_D.tolist())
        return rows_of(
            f"SELECT item_id, vector <=> %s::vector FROM {{table}} WHERE {wanted} "
            "ORDER BY 2 LIMIT %s",
            vector,
            *([] if within is None else [within]),
            k,
        )

    contract.check_searches_equal_those_of_the_index(open_store, search, catalogue)


def test_a_collection_follows_the_catalogue(open_store, make_rows):
    contract.check_a_collection_follows_the_catalogue(open_store, make_rows)


def test_a_killed_run_is_completed_by_another(open_store, make_rows, monkeypatch):
    contract.check_a_killed_run_is_completed_by_another(open_store, make_rows, monkeypatch)


def test_what_cannot_be_mixed_is_refused(open_store, make_rows):
    contract.check_what_cannot_be_mixed_is_refused(open_store, make_rows)


def test_attributes_keep_their_types(open_store, make_rows):
    contract.fill(open_store, make_rows(range(3)))
    ((price, size, brand, sale, zone),) = rows_of(
        'SELECT price, "shoe size", brand, sale, pg_typeof(sold)::text FROM {table} '
        "WHERE day = '2024-01-01' AND price = 0.9"
    )
    assert (price, size, brand, sale, zone) == (0.9, 0, None, True, "timestamp with time zone")


def test_a_table_of_somebody_else_is_left_alone(open_store, make_rows):
    with psycopg.connect(autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE TABLE {} (a int)").format(sql.Identifier(NAME)))
    for replace in (False, True):
        with pytest.raises(InputError, match="not made by huse export; choose another --name"):
            contract.fill(open_store, make_rows(range(3)), replace=replace)
    assert rows_of("SELECT * FROM {table}") == []


def test_a_database_without_the_extension_needs_somebody_with_the_right_to_make_it(
    postgres, monkeypatch
):
    user = f"clerk{uuid.uuid4().hex}"
    with psycopg.connect(autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(user)))
    monkeypatch.setenv("PGUSER", user)
    with pytest.raises(InputError, match="somebody with the right to has to make: CREATE"):
        PgvectorStore(NAME)


def test_a_server_that_is_not_there_is_one_line_without_a_password(monkeypatch):
    for name, value in {"HOST": "127.0.0.1", "PORT": "9", "PASSWORD": "hush"}.items():
        monkeypatch.setenv(f"PG{name}", value)
    with pytest.raises(InputError, match=r"^PostgreSQL: .* refused; PGHOST, PGPORT") as caught:
        PgvectorStore(NAME)
    assert "\n" not in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_name_that_postgresql_would_cut_off_is_one_line(postgres):
    with pytest.raises(InputError, match="no names of more than 63 bytes"):
        PgvectorStore("n" * 64)
