"""An index of random vectors with classes, words and attributes."""

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.index.build import build_index
from pipeline.index.catalog_index import CatalogIndex
from pipeline.index.settings import HnswSettings, IvfpqSettings
from pipeline.index.vector_index import VectorIndex
from pipeline.index.words import WordIndex

KINDS = [
    None,
    HnswSettings(links=4, build_depth=20, search_depth=2),
    IvfpqSettings(lists=16, probes=1, code_bytes=16),
]
PATHS = ["Animals & Nature<cat", "Animals & Nature<dog", "Animals & Naturals", "Symbols"]
NUMBER = 400


def make_index(settings=None, mode=None, weight=0.5):
    vector_ND = np.random.default_rng(0).normal(size=(NUMBER, 16)).astype(np.float32)
    vector_ND /= np.linalg.norm(vector_ND, axis=1, keepdims=True)
    items = pd.DataFrame(
        {
            "item_id": [f"id-{n}" for n in range(NUMBER)],
            "image": [f"{n}.png" for n in range(NUMBER)],
            "text": [f"thing {n}" for n in range(NUMBER)],
            "class_path": [PATHS[n % 4] for n in range(NUMBER)],
            "split": "train",
            "x": np.zeros(NUMBER, np.float32),
            "y": np.zeros(NUMBER, np.float32),
        }
    )
    description = {"kind": "any", "modality": "fused", "separator": "<"}
    words = None
    if mode is not None:
        items.loc[100:, "text"] = [f"SKU-{n} thing" for n in range(100, NUMBER)]
        items.loc[200:, "text"] = ""
        description["words"] = {"mode": mode, "weight": weight}
        words = WordIndex.build(items["text"].tolist())
    table = pa.Table.from_pandas(items)
    attributes = pa.table(
        {
            "item_id": items["item_id"].tolist(),
            "price": [float(n % 10) for n in range(NUMBER)],
            "brand": ["Nike" if n % 2 else None for n in range(NUMBER)],
        }
    )
    built = build_index(vector_ND, settings)
    return vector_ND, CatalogIndex(VectorIndex(built), table, description, words, attributes)
