"""The pictures of items that have several -> points of the space.

Shape letters: N items, P pictures, B pictures of a batch, I image feature, D embedding.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.core.mapped_table import write_mapped
from pipeline.core.table import read_table
from pipeline.core.vectors import vector_array
from pipeline.features.vector_rows import VectorRows
from pipeline.index.item_pictures import FILE, SEARCHED
from pipeline.index.stored_embeddings import EmbeddedItems
from pipeline.model.description import read_description

AT_ONCE = 8192
"""Pictures in memory while they are embedded."""


def embed_pictures(
    out: Path,
    items: pd.DataFrame,
    features: Path,
    model: Path,
    *,
    embeddings: Path,
    searched: Literal["image", "fused"] | None = None,
) -> int:
    """Embed the pictures of the items that have several; the towers are read only if there are any.

    Args:
        out: Folder of the index, where `ItemPictures.load` finds them.
        items: N items with `item_id` and `image`, as the index has them.
        features: The table of image features: a clean view stands first among those of a picture.
        model: The folder of the trained model.
        embeddings: Embeddings of the items, by the same model.
        searched: What the items are found by in an index of `image` or `fused`, picture by picture;
            None: by their pooled ones.

    Returns:
        Number of pictures.

    Raises:
        InputError: A file is missing or damaged, or the folder cannot be written to.
    """
    table = read_table(features, ["item_id", "image"])
    table["place"] = np.arange(len(table))
    table["row"] = pd.Index(items["item_id"]).get_indexer(table["item_id"])
    table = table[table["row"] >= 0]
    # A pooled vector has no picture. Of an item whose first picture failed another may be left.
    several = set(table.loc[table["image"].isna(), "row"])
    table = table.dropna(subset="image").drop_duplicates(["row", "image"])
    other_P = table["image"].to_numpy() != items["image"].to_numpy()[table["row"]]
    chosen = table[table["row"].isin(several) | other_P].sort_values(["row", "place"])
    vector = pa.list_(pa.float32(), read_description(model).dimension)
    schema = pa.schema([("row", pa.int64()), ("image", pa.string()), ("vector", vector)])
    if searched is not None:
        schema = schema.append(pa.field(SEARCHED, vector))
    texts = EmbeddedItems(embeddings, "text") if searched == "fused" and len(chosen) else None

    def batches() -> Iterator[pa.RecordBatch]:
        embedded = _embedded(features, chosen["place"].to_numpy(), model)
        for start, vector_BD in zip(range(0, len(chosen), AT_ONCE), embedded, strict=True):
            part = chosen.iloc[start : start + AT_ONCE]
            columns = [
                pa.array(part["row"].to_numpy(), pa.int64()),
                pa.array(part["image"].tolist(), pa.string()),
                vector_array(vector_BD),
            ]
            if texts is not None:
                # As the towers fuse them: an item without a text has its pictures alone.
                vector_BD = vector_BD + np.nan_to_num(texts.read(part["item_id"].tolist()))
                vector_BD /= np.linalg.norm(vector_BD, axis=1, keepdims=True)
            if searched is not None:
                columns.append(vector_array(vector_BD))
            yield pa.record_batch(columns, schema=schema)

    return write_mapped(out / FILE, schema, batches())


def _embedded(features: Path, place_P: np.ndarray, model: Path) -> Iterator[np.ndarray]:
    """Embed chosen rows of the table of image features, AT_ONCE at a time: [B, D] each."""
    if not len(place_P):
        return
    # What a catalogue with one picture per item need not wait for.
    import torch

    from pipeline.model.embed import embed
    from pipeline.model.model_file import load_model

    towers, vectors = load_model(model).model, VectorRows(features, ["vector"])
    for start in range(0, len(place_P), AT_ONCE):
        image_BI = torch.from_numpy(vectors.read(place_P[start : start + AT_ONCE]))
        no_text = np.zeros(len(image_BI), bool)
        yield embed(towers, image_BI, torch.empty(0, 0), None, no_text)["image"].numpy()
