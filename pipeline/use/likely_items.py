"""Which items of the catalogue a class that is added now is the most probable one of.

Shape letters: N items, M that have a modality, B items of a block, D embedding.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.table import open_parquet
from pipeline.features.vector_rows import VectorRows
from pipeline.model.description import MODALITIES
from pipeline.model.new_class import NewClassRule, Place, log_odds

BLOCK = 8192
"""Items whose embeddings are in memory at a time."""


def find_likely(embeddings: Path, rule: NewClassRule, place: Place) -> dict[str, float]:
    """Find the items that a new class is more probable of than each trained class.

    By what stage evaluate has kept of every item: where its picture and its text are, and how
    probable its best class is. So nothing is embedded.

    Args:
        embeddings: embeddings.parquet of this very model.
        rule: Of the model.
        place: Of the new class.

    Returns:
        Log odds of the new class against all trained ones, by the ids of these items.

    Raises:
        InputError: The file is missing or damaged.
    """
    table = open_parquet(embeddings, ["item_id", "modality", "vector", "score"]).read(
        ["item_id", "modality", "score"]
    )
    row_of = {
        name: pc.indices_nonzero(pc.equal(table["modality"], name)).to_numpy().astype(np.int64)
        for name in MODALITIES
    }
    # Where one modality alone could be evaluated, it stands for the items.
    items = table.take(
        pa.array(next(rows for name in reversed(MODALITIES) if len(rows := row_of[name])))
    )
    place_N = [_places(items["item_id"], table["item_id"], row_of[name]) for name in MODALITIES[:2]]
    best_N = items["score"].to_numpy()
    vectors = VectorRows(embeddings, ["vector"])
    odds_N = np.empty(len(items))
    for start in range(0, len(items), BLOCK):
        block = slice(start, start + BLOCK)
        image_BD, text_BD = (_read(vectors, row_N[block]) for row_N in place_N)
        odds_N[block] = log_odds(rule, [place], image_BD, text_BD, best_N[block, None])[:, 0]
    likely = np.flatnonzero(odds_N > np.log(best_N))
    ids = items["item_id"].take(pa.array(likely)).to_pylist()
    return dict(zip(ids, odds_N[likely].tolist(), strict=True))


def _read(vectors: VectorRows, row_B: np.ndarray) -> np.ndarray:
    """[B, D] embeddings; a row of NaN for an item without."""
    point_BD = vectors.read(row_B)
    point_BD[row_B < 0] = np.nan
    return point_BD


def _places(ids: pa.ChunkedArray, all_ids: pa.ChunkedArray, row_M: np.ndarray) -> np.ndarray:
    """Rows of N items among the M of one modality, [N] int64; -1 for an item without."""
    found_N = pc.fill_null(pc.index_in(ids, all_ids.take(pa.array(row_M))), -1).to_numpy()
    return np.append(row_M, -1)[found_N]
