from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipeline.index.build import build_index
from pipeline.index.catalog_index import CatalogIndex
from pipeline.index.vector_index import VectorIndex
from pipeline.stores.rows import ItemRows

PATHS = ["shoes<boots<ankle", "shoes<boots", "shoes", "o'hats & caps"]
NUMBER = 90
DIMENSION = 16


@pytest.fixture
def make_catalogue():
    """Make the index of a catalogue; items differ by their number."""

    def make(numbers=range(NUMBER), model="3f", modality="fused", settings=None, kept=None):
        rows = list(numbers)
        vector_ND = np.random.default_rng(0).normal(size=(2 * NUMBER, DIMENSION))[rows]
        vector_ND = (vector_ND / np.linalg.norm(vector_ND, axis=1, keepdims=True)).astype("f4")
        items = pd.DataFrame(
            {
                "item_id": [f"it's-{n}" for n in rows],
                "image": [f"{n}.png" if n % 9 else "" for n in rows],
                "text": [f"thing \u00e9 {n}" for n in rows],
                "class_path": [PATHS[n % 4] for n in rows],
                "split": "train",
                "x": np.arange(len(rows), dtype=np.float32),
                "y": np.zeros(len(rows), np.float32),
            }
        )
        attributes = pa.table(
            {
                "item_id": items["item_id"].tolist(),
                "price": pa.array([n % 10 + 0.9 for n in rows], pa.float32()),
                "cost": [Decimal("1.50")] * len(rows),
                "shoe size": pa.array([None if n % 3 else n for n in rows], pa.int32()),
                "brand": ["Nike" if n % 2 else None for n in rows],
                "sale": [n % 5 == 0 for n in rows],
                "day": [date(2024, 1, n % 28 + 1) for n in rows],
                "seen": pa.array([datetime(2024, 1, 1, 12, n % 60) for n in rows]),
                "sold": pa.array([datetime(2024, 1, 1, 12, n % 60, tzinfo=UTC) for n in rows]),
            }
        )
        if kept is not None:
            attributes = attributes.select(["item_id", *kept])
        kind = "flat" if settings is None else type(settings).__name__[:-8].lower()
        description = {"kind": kind, "modality": modality, "separator": "<", "model": model}
        table = pa.Table.from_pandas(items, preserve_index=False)
        built = build_index(vector_ND, settings)
        return CatalogIndex(VectorIndex(built), table, description, attributes=attributes)

    return make


@pytest.fixture
def catalogue(make_catalogue):
    return make_catalogue()


@pytest.fixture
def make_rows(make_catalogue):
    def make(*arguments, **options):
        return ItemRows(make_catalogue(*arguments, **options), None)

    return make
