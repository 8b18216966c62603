"""What a search finds."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Hit(NamedTuple):
    """An item that a search found."""

    row: int
    """Its place in the index."""
    item_id: str
    image: str
    """Path relative to the catalogue's folder of pictures; of several, the nearest to the query."""
    text: str
    class_path: str
    distance: float
    """Cosine distance to the query, in [0, 2]; small is near."""
    words: float | None = None
    """Share of the query's words that the text has, in [0, 1], rare ones counting more; None where
    words were not looked for, or no text has any."""
    attributes: Mapping[str, Any] = MappingProxyType({})
    """What `catalog.columns.keep` carries along, by column; None where the table says nothing."""
    likely_path: str | None = None
    """A class that was added to the model and is the item's most probable one: predicted, while the
    item is filed under `class_path`."""
    picture: int | None = None
    """Place of `image` in `CatalogIndex.images`, if it is not `row`."""

    def as_dict(self) -> dict[str, Any]:
        """Say it without places, which mean nothing outside this index."""
        return {
            key: value for key, value in self._asdict().items() if key not in ("row", "picture")
        }
