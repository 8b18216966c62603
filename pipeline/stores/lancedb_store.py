"""A table of LanceDB: a folder of files, here or in an object store; no server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import lancedb
import pyarrow as pa

from pipeline.core.errors import InputError
from pipeline.core.location import URI, without_password
from pipeline.stores.store import KEY, Description, in_parts, told

# What Lance raises is one of these, whatever it is about.
ERRORS = (OSError, RuntimeError, ValueError)
SUFFIX = ".lance"
NAMES_AT_ONCE = 10_000


class LancedbStore:
    """A table whose vectors are the column `vector`."""

    # Every call compares with all names that are there and adds a version of the table.
    rows_at_once = 20_000

    def __init__(self, where: str, name: str) -> None:
        """Take a folder or a URI, and a table's name.

        Raises:
            InputError: The folder is a file, or holds something else.
        """
        self.place = f"{without_password(where)}, table {name}"
        if not URI.match(where):
            _check_folder(Path(where))
        with told(self.place, *ERRORS):
            self._database = lancedb.connect(where)
        self._name = name

    def describe(self) -> Description | None:
        """See `Store.describe`."""
        with told(self.place, *ERRORS):
            if self._name not in self._names():
                return None
            self._table = self._database.open_table(self._name)
            metadata = self._table.schema.metadata or {}
        return Description.loads(metadata.get(KEY.encode(), b"").decode(), self.place)

    def create(self, description: Description, schema: pa.Schema) -> None:
        """See `Store.create`.

        Raises:
            InputError: Lance cannot have a column of such a name.
        """
        if bad := next((name for name in schema.names if "." in name), None):
            raise InputError(
                f"{self.place}: LanceDB has no column names with a dot; call {bad} otherwise in "
                "the table, and in catalog.columns.keep"
            )
        described = schema.with_metadata({KEY: description.dumps()})
        with told(self.place, *ERRORS):
            self._table = self._database.create_table(self._name, schema=described)

    def drop(self) -> None:
        """See `Store.drop`."""
        with told(self.place, *ERRORS):
            self._database.drop_table(self._name)

    def upsert(self, batch: pa.Table) -> None:
        """See `Store.upsert`."""
        with told(self.place, *ERRORS):
            merge = self._table.merge_insert("item_id")
            merge.when_matched_update_all().when_not_matched_insert_all().execute(batch)

    def item_ids(self) -> Iterator[str]:
        """See `Store.item_ids`."""
        with told(self.place, *ERRORS):
            for batch in self._table.search().select(["item_id"]).to_batches(NAMES_AT_ONCE):
                yield from batch["item_id"].to_pylist()

    def delete(self, item_ids: Sequence[str]) -> None:
        """See `Store.delete`."""
        for part in in_parts(item_ids, NAMES_AT_ONCE):
            quoted = ", ".join("'" + item_id.replace("'", "''") + "'" for item_id in part)
            with told(self.place, *ERRORS):
                self._table.delete(f"item_id in ({quoted})")

    def finish(self) -> None:
        """Join the small files, bring indexes up to date, remove versions of a week ago."""
        with told(self.place, *ERRORS):
            self._table.optimize()

    def close(self) -> None:
        """See `Store.close`; nobody waits for a table."""

    def _names(self) -> Iterator[str]:
        page = None
        while True:
            found = self._database.list_tables(page_token=page)
            yield from found.tables
            page = found.page_token
            if not page:
                return


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out: {folder} is a file; LanceDB's tables are a folder")
    if folder.is_dir() and any(folder.iterdir()) and not any(folder.glob(f"*{SUFFIX}")):
        raise InputError(
            f"--out: {folder} holds something else than LanceDB's tables; name a folder of their "
            "own"
        )
