"""What the index takes from embeddings.parquet: a modality's rows, and queries like a user's.

Shape letters: N items, Q queries, D embedding.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.errors import InputError
from pipeline.core.table import open_parquet
from pipeline.core.vectors import vector_matrix

PLAIN = ["item_id", "split", "class_path", "x", "y"]
MOST_QUERIES = 500
"""Per modality: recall at 10 is then known to about a hundredth."""


def read_modality(path: Path, modality: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Read the embeddings of one modality, row group by row group.

    Returns:
        N rows with the columns PLAIN, and the [N, D] float32 vectors.

    Raises:
        InputError: The file is missing or damaged, or has no such embeddings.
    """
    columns = [*PLAIN, "modality", "vector"]
    file = open_parquet(path, columns)
    parts, there = [], set()
    for group in range(file.num_row_groups):
        table = file.read_row_group(group, columns=columns)
        there.update(table["modality"].unique().to_pylist())
        parts.append(table.filter(pc.equal(table["modality"], modality)))
    if modality not in there:
        raise InputError(
            f"{path}: no embeddings of modality {modality}; it has "
            f"{', '.join(sorted(there)) or 'none'}; see index.modality and the report's warnings"
        )
    table = pa.concat_tables(parts)
    return table.select(PLAIN).to_pandas(), vector_matrix(table["vector"])


def choose_queries(embeddings: Path) -> np.ndarray:
    """Take image and text embeddings of test items, which no tower was trained on.

    Returns:
        [Q, D] float32, Q at least 1: up to MOST_QUERIES per modality, evenly spread; of other
        items where there is no test item.

    Raises:
        InputError: The file is missing or damaged.
    """
    chosen = []
    for modality in ("image", "text"):
        try:
            frame, vector_ND = read_modality(embeddings, modality)
        except InputError:
            continue  # only the other modality could be evaluated
        rows = np.flatnonzero(frame["split"] == "test")
        rows = rows if len(rows) else np.arange(len(frame))
        chosen.append(vector_ND[rows[:: max(1, -(-len(rows) // MOST_QUERIES))]])
    if not chosen:
        read_modality(embeddings, "text")  # says what the file has instead
    return np.concatenate(chosen)
