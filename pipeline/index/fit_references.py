"""From the feature tables: what queries are compared with, and how near is near.

Shape letters: N items, R references, Q validation queries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from pipeline.core.block import Block
from pipeline.core.errors import InputError
from pipeline.core.sample import draw_sample
from pipeline.core.table import read_metadata, read_table
from pipeline.features.text_rows import TextRows
from pipeline.features.vector_rows import VectorRows
from pipeline.index.references import References, nearest_distances, unit_rows

MOST_REFERENCES = 20_000
"""Of a larger catalogue a random sample of so many items: 64 MiB of the default features on disk.
An item that is not among them can itself be called far."""
MOST_QUERIES = 2000
FEWEST_BEYOND = 2
"""Validation items beyond the limit without which it would be one item's accident."""
OWN = {"image": ["product", "picture"], "text": ["product", "near_text"]}
"""Columns of groups.parquet. Who asks has no variant in the catalogue, so a validation item is not
measured to its own; nor to itself, as an item is of its own product."""
WORD_BLOCKS = ("glove", "tfidf")
"""They know the words of the training texts alone: a synonym is as strange to them as nonsense."""


def fit_references(
    out: Path,
    items: pd.DataFrame,
    *,
    groups: Path,
    features: dict[str, Path],
    recipe: dict[str, Any],
    share: float,
) -> dict[str, dict[str, Any]]:
    """Keep the features of a catalogue's items, and fit the limits on its validation items.

    A limit is that of validation items to all other items, or to MOST_REFERENCES of them, without
    themselves and their variants: what new queries are compared with. Fitted to fewer, it would be
    too wide.

    Args:
        out: Folder of the index.
        items: N items with `item_id` and `split`.
        groups: Parquet of what items have in common.
        features: The feature table of every modality.
        recipe: How the model wants features made, by modality.
        share: Of the validation items that shall be called near.

    Returns:
        What `load_references` reads, by modality.

    Raises:
        InputError: A table is missing, damaged, or made in another way.
    """
    columns = sorted({column for own in OWN.values() for column in own})
    items = items[["item_id", "split"]].merge(
        read_table(groups, ["item_id", *columns]), "left", validate="1:1"
    )
    described = {}
    for modality, path in features.items():
        if read_metadata(path) != recipe[modality]:
            raise InputError(f"{path}: made in another way than the model wants; run dvc repro")
        table = _FeatureTable(path, modality)
        known = items[table.has(items["item_id"])]
        kept = _some(known, MOST_REFERENCES)
        unit_RF = unit_rows(table.read(kept["item_id"]))
        queries = _some(known[known["split"] == "val"], MOST_QUERIES)
        distance_Q = nearest_distances(
            unit_rows(table.read(queries["item_id"])),
            unit_RF,
            [queries[column].to_numpy() for column in OWN[modality]],
            [kept[column].to_numpy() for column in OWN[modality]],
        )
        # Not finite: a text without a known word is no usual query; nor one with variants alone.
        distance_Q = distance_Q[np.isfinite(distance_Q)]
        limit = fit_limit(distance_Q, share)
        references = References(unit_RF, table.columns, limit, share, len(distance_Q))
        described[modality] = references.save(out, modality, kept["item_id"].tolist())
    return described


def fit_limit(distance_Q: np.ndarray, share: float) -> float | None:
    """Distance that a share of the [Q] queries stay within.

    None where fewer than FEWEST_BEYOND queries would be beyond it.
    """
    # Rounded, as 20 * (1 - 0.9) is a little below 2.
    if round(len(distance_Q) * (1 - share), 6) < FEWEST_BEYOND:
        return None
    return float(np.quantile(distance_Q, share, method="higher"))


class _FeatureTable:
    """Features of items by their ids: of the clean view, or of the block that judges texts."""

    def __init__(self, path: Path, modality: str) -> None:
        self._read: Callable[[np.ndarray], Block]
        if modality == "image":
            views = read_table(path, ["item_id", "view"])
            self._row_R = np.flatnonzero(views["view"] == 0)
            self._ids = pd.Index(views["item_id"].iloc[self._row_R])
            pictures = VectorRows(path, ["vector"])
            self._read = pictures.read
            self.columns = slice(0, pictures.dimension)
        else:
            texts = TextRows(path)
            self._row_R = np.arange(len(texts))
            self._ids = pd.Index(read_table(path, ["item_id"])["item_id"])
            self.columns = texts.columns[choose_block(list(texts.columns))]
            self._read = lambda row_M: _some_columns(*texts.read_parts(row_M), self.columns)

    def has(self, item_ids: pd.Series) -> np.ndarray:
        """[M] bool."""
        return item_ids.isin(self._ids).to_numpy()

    def read(self, item_ids: pd.Series) -> Block:
        """Read [M, F] features."""
        return self._read(self._row_R[self._ids.get_indexer(item_ids)])


def _some_columns(dense_MT: np.ndarray, words_MV: csr_matrix | None, columns: slice) -> Block:
    """Take the columns of one block, as if both parts were one matrix."""
    dimension = dense_MT.shape[1]
    if columns.stop <= dimension:
        return dense_MT[:, columns]
    assert words_MV is not None, "the block is not dense"
    return words_MV[:, columns.start - dimension : columns.stop - dimension]


def choose_block(names: Sequence[str]) -> str:
    """Choose the block that tells usual texts from others.

    Side by side, blocks would vote with their norms, and an unknown word would outvote them all.
    It is the first that reads any text, or the first if none does.
    """
    return next((name for name in names if name not in WORD_BLOCKS), names[0])


def _some(items: pd.DataFrame, most: int) -> pd.DataFrame:
    """Take at most so many rows."""
    return items.iloc[draw_sample(len(items), most, seed=0)]
