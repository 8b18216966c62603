"""A table of PostgreSQL with the extension pgvector.

The server is found as every program of PostgreSQL finds it: by `PGHOST`, `PGDATABASE`, `PGUSER`,
`PGSERVICE` and the like in the environment, the password in `PGPASSWORD` or `~/.pgpass`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import psycopg
import pyarrow as pa
from pgvector import Vector
from pgvector.psycopg import register_vector
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from pipeline.core.errors import InputError
from pipeline.core.location import one_line
from pipeline.core.vectors import vector_matrix
from pipeline.stores.store import Description, in_parts, told

SECONDS = 10
"""To wait for a server that does not answer, unless `PGCONNECT_TIMEOUT` says otherwise."""
NAMES_AT_ONCE = 10_000
LONGEST_NAME = 63
"""Bytes of a name, of which PostgreSQL would cut off the rest."""
TYPES = {
    "string": "text",
    "int64": "bigint",
    "double": "double precision",
    "bool": "boolean",
    "date32[day]": "date",
    "timestamp[us]": "timestamp",
}
"""Of a column, by Arrow's name of it."""


class PgvectorStore:
    """A table with a column per attribute; `vector` is of the type `vector(D)`."""

    rows_at_once = 1000

    def __init__(self, name: str) -> None:
        """Connect, and take the table's name.

        Raises:
            InputError: No server answers or lets the user in, or it has no pgvector.
        """
        self.place = f"PostgreSQL, table {name}"
        _check_name(name)
        self._table = sql.Identifier(name)
        self._name = name
        self._connection = _connect()
        try:
            self._have_extension()
        except BaseException:
            self._connection.close()
            raise

    def _have_extension(self) -> None:
        with self._told():
            known = "SELECT installed_version FROM pg_available_extensions WHERE name = 'vector'"
            found = self._connection.execute(known).fetchone()
            if found is None:
                raise InputError(
                    f"{self.place}: the server has no pgvector; install it there, as the package "
                    "postgresql-17-pgvector does"
                )
            if found[0] is None:
                try:
                    self._connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
                except InsufficientPrivilege as error:
                    raise InputError(
                        f"{self.place}: the database has no extension vector, which somebody with "
                        "the right to has to make: CREATE EXTENSION vector"
                    ) from error
            register_vector(self._connection)

    def describe(self) -> Description | None:
        """See `Store.describe`."""
        query = "SELECT obj_description(to_regclass(%s), 'pg_class'), to_regclass(%s) IS NOT NULL"
        quoted = self._table.as_string(self._connection)
        with self._told():
            comment, is_there = self._fetch(query, [quoted, quoted])
        return Description.loads(comment, self.place) if is_there else None

    def create(self, description: Description, schema: pa.Schema) -> None:
        """See `Store.create`.

        Raises:
            InputError: PostgreSQL cannot have a column of such a name.
        """
        for name in schema.names:
            _check_name(name)
        columns: list[sql.Composable] = [
            sql.SQL("{} {}").format(sql.Identifier(field.name), sql.SQL(_type_of(field.type)))
            for field in schema
        ]
        columns.append(sql.SQL("PRIMARY KEY (item_id)"))
        with self._told(), self._connection.transaction():
            self._connection.execute(
                sql.SQL("CREATE TABLE {} ({})").format(self._table, sql.SQL(", ").join(columns))
            )
            self._connection.execute(
                sql.SQL("COMMENT ON TABLE {} IS {}").format(
                    self._table, sql.Literal(description.dumps())
                )
            )

    def drop(self) -> None:
        """See `Store.drop`."""
        with self._told():
            self._connection.execute(sql.SQL("DROP TABLE {}").format(self._table))

    def upsert(self, batch: pa.Table) -> None:
        """See `Store.upsert`."""
        names = [sql.Identifier(name) for name in batch.column_names]
        command = sql.SQL(
            "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT (item_id) DO UPDATE SET {}"
        ).format(
            self._table,
            sql.SQL(", ").join(names),
            sql.SQL(", ").join([sql.Placeholder()] * len(names)),
            sql.SQL(", ").join(sql.SQL("{0} = EXCLUDED.{0}").format(name) for name in names),
        )
        columns = batch.drop_columns("vector").columns
        values = zip(
            *(column.to_pylist() for column in columns),
            map(Vector, vector_matrix(batch["vector"])),
            strict=True,
        )
        with (
            self._told(),
            self._connection.transaction(),
            self._connection.cursor() as cursor,
        ):
            cursor.executemany(command, values)

    def item_ids(self) -> Iterator[str]:
        """See `Store.item_ids`."""
        with (
            self._told(),
            self._connection.transaction(),
            self._connection.cursor("item_ids") as cursor,
        ):
            cursor.itersize = NAMES_AT_ONCE
            cursor.execute(sql.SQL("SELECT item_id FROM {}").format(self._table))
            for (item_id,) in cursor:
                yield item_id

    def delete(self, item_ids: Sequence[str]) -> None:
        """See `Store.delete`."""
        command = sql.SQL("DELETE FROM {} WHERE item_id = ANY(%s)").format(self._table)
        for part in in_parts(item_ids, NAMES_AT_ONCE):
            with self._told():
                self._connection.execute(command, [list(part)])

    def finish(self) -> None:
        """Tell the planner of the table, which it would look at by itself a minute later."""
        with self._told():
            self._connection.execute(sql.SQL("ANALYZE {}").format(self._table))

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _fetch(self, query: str, values: Sequence[Any]) -> Any:
        return self._connection.execute(query, values).fetchone()

    def _told(self) -> AbstractContextManager[None]:
        return told(self.place, psycopg.Error)


def _connect() -> psycopg.Connection[Any]:
    # A parameter would be heeded before the variable of the environment.
    patience = "" if "PGCONNECT_TIMEOUT" in os.environ else f"connect_timeout={SECONDS}"
    try:
        return psycopg.connect(patience, autocommit=True)
    except psycopg.Error as error:
        raise InputError(
            f"PostgreSQL: {one_line(error)}; PGHOST, PGPORT, PGDATABASE, PGUSER and so on say "
            "where it is"
        ) from error


def _check_name(name: str) -> None:
    if len(name.encode()) > LONGEST_NAME or "\0" in name:
        raise InputError(
            f"{name[:LONGEST_NAME]}: PostgreSQL has no names of more than {LONGEST_NAME} bytes; "
            "choose another"
        )


def _type_of(kind: pa.DataType) -> str:
    if pa.types.is_fixed_size_list(kind):
        return f"vector({kind.list_size})"
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return "timestamptz"
    return "text[]" if pa.types.is_list(kind) else TYPES[str(kind)]
