"""The pictures of items that have several -> points of the space.

Shape letters: N items, P pictures, I image feature.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.core.table import read_table
from pipeline.core.vectors import vector_array
from pipeline.features.vector_rows import VectorRows
from pipeline.index.item_pictures import ItemPictures

AT_ONCE = 8192
"""Features in memory while they are embedded."""


def embed_pictures(items: pd.DataFrame, features: Path, model: Path) -> ItemPictures:
    """Embed the pictures of the items that have several; the model is read only if there are some.

    Args:
        items: N items with `item_id` and `image`, as the index has them.
        features: The table of image features: a clean view stands first among those of a picture.
        model: The folder of the trained model.

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
    return ItemPictures(
        pa.table(
            {
                "row": pa.array(chosen["row"].to_numpy(), pa.int64()),
                "image": pa.array(chosen["image"].tolist(), pa.string()),
                "vector": _embedded(features, chosen["place"].to_numpy(), model),
            }
        )
    )


def _embedded(features: Path, place_P: np.ndarray, model: Path) -> pa.Array:
    """Embed chosen rows of the table of image features."""
    if not len(place_P):
        return pa.array([], pa.list_(pa.float32(), 1))
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
    return vector_array(np.concatenate(parts))
