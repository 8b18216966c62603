"""Rows of embeddings.parquet by modality.

Shape letters: N items, D embedding.
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


def read_modality(path: Path, modality: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Read the embeddings of one modality, row group by row group.

    Args:
        path: embeddings.parquet of the evaluate stage.
        modality: image, text or fused.

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
