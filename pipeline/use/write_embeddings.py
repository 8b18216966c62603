"""Embeddings of a table of new items as a Parquet file.

Shape letters: N items, D embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.core.vectors import vector_array, vector_writer
from pipeline.use.api import Huse
from pipeline.use.new_items import Counts, ItemBatch, NewItem, rejected_writer


def write_embedded(
    model: Huse,
    out: Path,
    rejected: Path,
    batches: Iterable[ItemBatch],
    record: Callable[..., None] | None = None,
) -> Counts:
    """Write the embeddings of items, and the rows that were kept out with reasons; count both.

    The columns are row (of the table, from 1), image, text, modality (image, text, fused) and
    vector (D float32 of unit norm). An item has a row for every modality that it has, and one for
    fused. `record` takes each batch with its `embeddings`.
    """
    dimension = model.description.dimension
    schema = pa.schema(
        [
            ("row", pa.int64()),
            ("image", pa.string()),
            ("text", pa.string()),
            ("modality", pa.string()),
            ("vector", pa.list_(pa.float32(), dimension)),
        ]
    )
    metadata = {"normalised": "true", "dimension": str(dimension)}
    counts = Counts(0, 0)
    with (
        rejected_writer(rejected) as list_rejected,
        vector_writer(out, schema, metadata) as writer,
    ):
        for batch in batches:
            embeddings = model.embed_features(batch.features)
            for modality, vector_ND in embeddings.modalities.items():
                has = np.flatnonzero(~np.isnan(vector_ND[:, 0]))
                items = [batch.items[n] for n in has]
                columns = [[item[place] for item in items] for place in range(len(NewItem._fields))]
                writer.append(
                    [
                        *(pa.array(values) for values in columns),
                        pa.array([modality] * len(items)),
                        vector_array(vector_ND[has]),
                    ]
                )
            if record is not None:
                record(batch, embeddings=embeddings)
            list_rejected(batch.rejected)
            counts = counts.plus(batch)
    return counts
