"""The pictures of items that have several -> points of the space.

Shape letters: N items, P pictures, I image feature, D embedding.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.core.table import read_table
from pipeline.core.vectors import vector_array
from pipeline.features.vector_rows import VectorRows
from pipeline.index.item_pictures import SEARCHED, ItemPictures
from pipeline.index.stored_embeddings import read_embedded

AT_ONCE = 8192
"""Features in memory while they are embedded."""


def embed_pictures(
    items: pd.DataFrame,
    features: Path,
    model: Path,
    *,
    embeddings: Path,
    searched: Literal["image", "fused"] | None = None,
) -> ItemPictures:
    """Embed the pictures of the items that have several; the model is read only if there are some.

    Args:
        items: N items with `item_id` and `image`, as the index has them.
        features: The table of image features: a clean view stands first among those of a picture.
        model: The folder of the trained model.
        embeddings: Embeddings of the items, by the same model.
        searched: What the items are found by in an index of `image` or `fused`, picture by picture;
            None: by their pooled ones.

    Raises:
        InputError: A file is missing or damaged.
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
    vector_PD = _embedded(features, chosen["place"].to_numpy(), model)
    columns = {
        "row": pa.array(chosen["row"].to_numpy(), pa.int64()),
        "image": pa.array(chosen["image"].tolist(), pa.string()),
        "vector": vector_array(vector_PD),
    }
    if searched == "fused" and len(chosen):
        text_PD = read_embedded(embeddings, "text", chosen["item_id"].tolist())
        # As the towers fuse them: an item without a text has its pictures alone.
        vector_PD = vector_PD + np.nan_to_num(text_PD)
        vector_PD /= np.linalg.norm(vector_PD, axis=1, keepdims=True)
    if searched is not None:
        columns[SEARCHED] = vector_array(vector_PD)
    return ItemPictures(pa.table(columns))


def _embedded(features: Path, place_P: np.ndarray, model: Path) -> np.ndarray:
    """Embed chosen rows of the table of image features: [P, D]."""
    if not len(place_P):
        return np.empty((0, 1), np.float32)
    # What a catalogue with one picture per item need not wait for.
    import torch

    from pipeline.model.embed import embed
    from pipeline.model.model_file import load_model

    towers, vectors = load_model(model).model, VectorRows(features, ["vector"])
    parts = []
    for start in range(0, len(place_P), AT_ONCE):
        image_PI = torch.from_numpy(vectors.read(place_P[start : start + AT_ONCE]))
        no_text = np.zeros(len(image_PI), bool)
        parts.append(embed(towers, image_PI, torch.empty(0, 0), None, no_text)["image"].numpy())
    return np.concatenate(parts)
