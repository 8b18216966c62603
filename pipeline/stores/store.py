"""What every vector store can do: a collection of items that is kept like the catalogue.

Shape letters: M items of a batch, D embedding.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol

import pyarrow as pa

from pipeline.core.errors import InputError
from pipeline.core.location import one_line

KEY = "huse"
"""What the description of a collection is kept under, where there are names."""
FORMAT_VERSION = 1
CLASS_NODES = "class_nodes"
"""The item's class and all above it: `shoes` and `shoes<boots` of `shoes<boots`."""


class Description(NamedTuple):
    """What a collection holds, which is kept with it; vectors of two can be compared if equal."""

    model: str
    """Digest of the model's weights."""
    modality: str
    """image, text or fused."""
    dimension: int
    """D."""
    separator: str
    """What joins the parts of a class path."""
    attributes: Mapping[str, str]
    """Type by name, as Arrow writes it."""

    def dumps(self) -> str:
        """Write it as JSON, so that other programs can read it too."""
        known = {"format_version": FORMAT_VERSION, "distance": "cosine"}
        return json.dumps({**known, **self._asdict()}, ensure_ascii=False)

    @classmethod
    def loads(cls, text: str | None, place: str) -> Description:
        """Read what `dumps` wrote.

        Args:
            text: JSON; None where a collection has none.
            place: The collection, for messages.

        Raises:
            InputError: It is none, or of a newer version.
        """
        try:
            found = json.loads(text or "")
            version = found.pop("format_version")
            if version == FORMAT_VERSION:
                found.pop("distance")
                return cls(**found)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{place}: there already, and not made by huse export; choose another --name"
            ) from error
        raise InputError(
            f"{place}: format version {version}, this program writes {FORMAT_VERSION}; update the "
            "program, or choose another --name"
        )


class Store(Protocol):
    """A collection in a vector store; an `InputError` says what the store says when it fails."""

    rows_at_once: int
    """Items that one call of `upsert` should have."""

    @property
    def place(self) -> str:
        """Which collection it is, for people; without a password."""

    def describe(self) -> Description | None:
        """Read the collection's description; None if there is no such collection.

        Raises:
            InputError: There is one that was not made by `create`.
        """

    def create(self, description: Description, schema: pa.Schema) -> None:
        """Make the empty collection, with its description at once."""

    def drop(self) -> None:
        """Remove the collection with all that is in it."""

    def upsert(self, batch: pa.Table) -> None:
        """Write M items with the columns of the schema; of equal `item_id` the new one stays."""

    def item_ids(self) -> Iterator[str]:
        """What is in the collection, in any order."""

    def delete(self, item_ids: Sequence[str]) -> None:
        """Remove items."""

    def finish(self) -> None:
        """Leave the collection in order after all changes."""

    def close(self) -> None:
        """Let go of what others may be waiting for."""


def in_parts(item_ids: Sequence[str], number: int) -> Iterator[Sequence[str]]:
    """Cut a long list, as no store takes a million names in one request."""
    for start in range(0, len(item_ids), number):
        yield item_ids[start : start + number]


@contextmanager
def told(place: str, *errors: type[Exception]) -> Iterator[None]:
    """Say in one line what a store's library raises.

    Raises:
        InputError: One of `errors` was raised.
    """
    try:
        yield
    except InputError:
        raise
    except errors as error:
        raise InputError(f"{place}: {one_line(error)}") from error
