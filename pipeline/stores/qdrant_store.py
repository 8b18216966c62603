"""A collection of Qdrant: on a server, or in a folder for up to some ten thousand items."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pyarrow as pa
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException

from pipeline.core.errors import InputError
from pipeline.core.location import URI, without_password
from pipeline.core.vectors import vector_matrix
from pipeline.stores.store import KEY, Description, in_parts, told

API_KEY = "QDRANT_API_KEY"
SECONDS = 60
NAMES_AT_ONCE = 1000
ERRORS = (OSError, RuntimeError, ValueError, ApiException)


class QdrantStore:
    """Points whose payload is all that is known of an item; `point_id` gives their number."""

    # As JSON that stays below the server's limit of 32 MB up to a dimension of 5,000.
    rows_at_once = 256

    def __init__(self, where: str, name: str) -> None:
        """Take a folder or a server's URL, and a collection's name.

        The server's key, if it wants one, is taken from the environment, `QDRANT_API_KEY`.

        Raises:
            InputError: The folder is a file, holds something else, or another process uses it.
        """
        self.place = f"{without_password(where)}, collection {name}"
        self._name = name
        with self._told():
            if URI.match(where):
                key = os.environ.get(API_KEY)
                self._client = QdrantClient(
                    url=where, api_key=key, timeout=SECONDS, check_compatibility=False
                )
            else:
                _check_folder(Path(where))
                self._client = QdrantClient(path=where)

    def describe(self) -> Description | None:
        """See `Store.describe`."""
        with self._told():
            if not self._client.collection_exists(self._name):
                return None
            metadata = self._client.get_collection(self._name).config.metadata or {}
        return Description.loads(json.dumps(metadata.get(KEY)), self.place)

    def create(self, description: Description, schema: pa.Schema) -> None:
        """See `Store.create`; a payload has no schema."""
        size = models.VectorParams(size=description.dimension, distance=models.Distance.COSINE)
        with self._told():
            self._client.create_collection(
                self._name, vectors_config=size, metadata={KEY: json.loads(description.dumps())}
            )

    def drop(self) -> None:
        """See `Store.drop`."""
        with self._told():
            self._client.delete_collection(self._name)

    def upsert(self, batch: pa.Table) -> None:
        """See `Store.upsert`."""
        rows = batch.drop_columns("vector").to_pylist()
        points = models.Batch(
            ids=[point_id(row["item_id"]) for row in rows],
            vectors=vector_matrix(batch["vector"]).tolist(),
            payloads=[{name: _as_json(value) for name, value in row.items()} for row in rows],
        )
        # In a folder it warns of many points, as the documentation does.
        with self._told(), warnings.catch_warnings(action="ignore"):
            self._client.upsert(self._name, points, wait=True)

    def item_ids(self) -> Iterator[str]:
        """See `Store.item_ids`."""
        place = None
        while True:
            with self._told():
                points, place = self._client.scroll(
                    self._name, limit=NAMES_AT_ONCE, offset=place, with_payload=["item_id"]
                )
            yield from (point.payload["item_id"] for point in points if point.payload)
            if place is None:
                return

    def delete(self, item_ids: Sequence[str]) -> None:
        """See `Store.delete`."""
        for part in in_parts(item_ids, NAMES_AT_ONCE):
            points = models.PointIdsList(points=[point_id(item_id) for item_id in part])
            with self._told():
                self._client.delete(self._name, points, wait=True)

    def finish(self) -> None:
        """See `Store.finish`; the server does by itself what there is to do."""

    def close(self) -> None:
        """Let other processes use a folder."""
        self._client.close()

    def _told(self) -> AbstractContextManager[None]:
        return told(self.place, *ERRORS)


def point_id(item_id: str) -> str:
    """Make a UUID of an item's identifier, as Qdrant takes no other texts."""
    return str(uuid5(NAMESPACE_URL, item_id))


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out: {folder} is a file; Qdrant's collections are a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "meta.json").is_file():
        raise InputError(
            f"--out: {folder} holds something else than Qdrant's collections; name a folder of "
            "their own"
        )
