"""The items of the index as rows for other programs, batch by batch.

Shape letters: N items, M items of a batch, D embedding.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.vectors import vector_array
from pipeline.features.attributes import kind_of
from pipeline.index.catalog_index import CatalogIndex
from pipeline.stores.evaluated import EvaluatedItems
from pipeline.stores.store import CLASS_NODES, Description

TEXTS = ["item_id", "text", "class_path", "split", "image"]
TYPES = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "true or false": pa.bool_(),
    "date": pa.date32(),
    "text": pa.string(),
}
"""What an attribute of a kind is in a store, whatever it is in the user's table."""


class ItemRows:
    """N items of an index: identifier, title, class, attributes, vector."""

    def __init__(self, index: CatalogIndex, evaluated: EvaluatedItems | None) -> None:
        """Take the index, and what the evaluate stage wrote of its items.

        An index that keeps approximations of its vectors gives them only for items that were not
        evaluated.
        """
        self._index = index
        self._row_N = index.rows
        self._evaluated = evaluated if index.description["kind"] == "ivfpq" else None
        attributes = index.attributes.select(index.attribute_names)
        fields = [pa.field(one.name, _type_of(attributes[one.name])) for one in attributes.schema]
        dimension = index.vector_index.dimension
        self.schema = pa.schema(
            [
                *(pa.field(name, pa.string()) for name in TEXTS),
                pa.field(CLASS_NODES, pa.list_(pa.string())),
                *fields,
                pa.field("vector", pa.list_(pa.float32(), dimension)),
            ]
        )
        """Columns of a batch."""
        self.description = Description(
            model=index.description["model"],
            modality=index.description["modality"],
            dimension=dimension,
            separator=index.description["separator"],
            attributes={field.name: str(field.type) for field in fields},
        )

    def __len__(self) -> int:
        return len(self._row_N)

    def item_ids(self) -> set[str]:
        """All N."""
        return set(self._index.items["item_id"].iloc[self._row_N])

    def batches(self, size: int) -> Iterator[tuple[np.ndarray, pa.Table]]:
        """Yield rows of the index, [M] int64, M at most `size`, and what the items there have."""
        for start in range(0, len(self), size):
            row_M = self._row_N[start : start + size]
            shown = self._index.items[TEXTS].iloc[row_M]
            texts = pa.Table.from_pandas(shown, preserve_index=False)
            said = self._index.attributes.take(row_M)
            columns = [
                *(texts[name].cast(pa.string()) for name in TEXTS),
                pa.array(map(self._nodes, texts["class_path"].to_pylist())),
                *(
                    _converted(said[name], self.schema.field(name).type)
                    for name in self._index.attribute_names
                ),
                vector_array(self._vectors(row_M)),
            ]
            yield row_M, pa.table(columns, schema=self.schema)

    def _vectors(self, row_M: np.ndarray) -> np.ndarray:
        vector_MD = self._index.vectors(row_M)
        if self._evaluated is not None:
            known_M = self._evaluated.known(row_M)
            vector_MD[known_M] = self._evaluated.vectors(row_M[known_M])
        return vector_MD

    def _nodes(self, path: str) -> list[str]:
        separator = self._index.description["separator"]
        parts = path.split(separator)
        return [separator.join(parts[:depth]) for depth in range(1, len(parts) + 1)]


def _type_of(values: pa.ChunkedArray) -> pa.DataType:
    if pa.types.is_timestamp(values.type):
        return pa.timestamp("us", values.type.tz)
    return TYPES[kind_of(values) or "text"]


def _converted(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    narrow = pa.types.is_floating(values.type) and values.type != kind
    # 12.9 with a few bits stays 12.9 with many.
    return pc.cast(values.cast(pa.string()) if narrow else values, kind, safe=False)
