"""embeddings.parquet: every item in every modality, for other tools.

Shape letters: N items, D embedding.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import torch

from pipeline.core.vectors import vector_array, vector_writer
from pipeline.evaluate.evaluation_items import EvaluationItems
from pipeline.evaluate.plane import MOST_FITTED, Plane, fit_plane, place
from pipeline.evaluate.predictions import Predicted, concatenate, predict_pairs, select
from pipeline.features.classes import item_classes
from pipeline.model.embed import embed_pairs
from pipeline.model.model_file import StoredModel


def fit_map(stored: StoredModel, items: EvaluationItems, *, method: str, seed: int) -> Plane:
    """Lay out the plane of all items from some: one item of each group, images and texts.

    A dozen variants of one product would only be each other's neighbours. They are placed where
    their like is.

    Args:
        stored: The trained model.
        items: The items.
        method: `pacmap` or `pca`.
        seed: Of the items drawn when there are many groups, and of the layout.
    """
    # The first of each group, whatever the split: the map is of the whole space.
    rows = np.flatnonzero(~items.table["group"].duplicated())
    most = MOST_FITTED // len(items.modalities)
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:most])
    blocks = [embed_pairs(stored.model, one) for one in items.blocks(rows)]
    shown = [name for name in items.modalities if name != "fused"]
    point_ND = torch.cat([block[name] for name in shown for block in blocks])
    point_ND = point_ND[~point_ND[:, 0].isnan()]
    return fit_plane(point_ND, method=method, seed=seed)


def write_embeddings(
    path: Path,
    stored: StoredModel,
    items: EvaluationItems,
    plane: Plane,
    attributes: pa.Table,
) -> dict[str, Predicted]:
    """Embed all items, block by block, and write what they have with its place on the plane.

    The columns are item_id, modality, split, vector (D float32 of unit norm), class_path,
    predicted_path, score, x and y, and those of `attributes`, what `read_attributes` gives for the
    items. Only the test items stay in memory.

    Returns:
        The test items by modality, in the order of `items.test`.
    """
    dimension = stored.model.config.dim
    separator = stored.classes["separator"]
    path_K = np.array(
        [separator.join(entry["parts"]) for entry in item_classes(stored.classes)], dtype=object
    )
    metadata = {"normalised": "true", "dimension": str(dimension), "model": stored.digest()}
    kept: dict[str, list[Predicted]] = {modality: [] for modality in items.modalities}
    start = 0
    kept_columns = attributes.drop_columns("item_id")
    schema = pa.schema([*_schema(dimension), *kept_columns.schema])
    with vector_writer(path, schema, metadata) as writer:
        for pairs in items.blocks(np.arange(len(items.table))):
            part = items.table.iloc[start : start + len(pairs)]
            said = kept_columns.slice(start, len(pairs))
            start += len(pairs)
            is_test_N = pairs.split_N == "test"
            embedded = predict_pairs(stored, pairs, is_test_N)
            test = torch.from_numpy(np.flatnonzero(is_test_N))
            for modality in items.modalities:
                result = embedded[modality]
                own = _columns(modality, result, part, path_K, plane)
                said_of = said.filter(pa.array(result.has_N.numpy()))
                writer.append([*own, *(one.combine_chunks() for one in said_of.columns)])
                # Figures are of test items; the others are done with.
                kept[modality].append(select(result, test))
    return {modality: concatenate(parts) for modality, parts in kept.items()}


def _schema(dimension: int) -> pa.Schema:
    return pa.schema(
        [
            ("item_id", pa.string()),
            ("modality", pa.string()),
            ("split", pa.string()),
            ("vector", pa.list_(pa.float32(), dimension)),
            ("class_path", pa.string()),
            ("predicted_path", pa.string()),
            ("score", pa.float32()),
            ("x", pa.float32()),
            ("y", pa.float32()),
        ]
    )


def _columns(
    modality: str, result: Predicted, part: pd.DataFrame, path_K: np.ndarray, plane: Plane
) -> list[pa.Array]:
    has_N = result.has_N
    if not has_N.all():
        result, part = select(result, has_N), part[has_N.numpy()]
    xy_N2 = place(plane, result.embedding_ND).numpy()
    return [
        pa.array(part["item_id"], pa.string()),
        pa.array([modality] * len(part), pa.string()),
        pa.array(part["split"], pa.string()),
        vector_array(result.embedding_ND.numpy()),
        pa.array(part["class_path"], pa.string()),
        pa.array(path_K[result.predicted_N.numpy()], pa.string()),
        pa.array(result.score_N.numpy()),
        pa.array(np.ascontiguousarray(xy_N2[:, 0])),
        pa.array(np.ascontiguousarray(xy_N2[:, 1])),
    ]
