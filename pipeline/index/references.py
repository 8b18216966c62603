"""Features of the catalogue's items, to tell queries that are like them from those that are not.

The towers put whatever they are given on the sphere close to something that they were trained on,
so distances of embeddings tell little of what is foreign to them. The frozen features in front of
the towers do.

Shape letters: N queries, R references, B queries of one block, F features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.sparse import diags
from typing_extensions import TypedDict

from pipeline.core.block import Block
from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json, read_json_as
from pipeline.core.mapped_table import map_table, write_mapped
from pipeline.features.text_file import block_of, columns_of
from pipeline.index.nearness import Nearness
from pipeline.index.stored_index import FORMAT_VERSION, model_digest

FOLDER = "references"
"""In the index's folder: a file per modality."""
ROWS = 256
"""Queries per matrix product: at most some tens of megabytes of similarities."""


class _Fitted(TypedDict):
    limit: float | None
    share: float
    queries: int
    columns: list[int]


class _Noted(TypedDict):
    model: str
    near: dict[str, _Fitted]


@dataclass(frozen=True)
class References:
    """R items' features of one modality, and how near to one of them a query has to be."""

    unit_RF: Block
    """[R, F] rows of unit norm."""
    columns: slice
    """Where these features are among the columns of `side_by_side`."""
    limit: float | None
    """Distance that `share` of the validation items stay within; None: too few items to tell."""
    share: float
    queries: int
    """Validation items that the limit comes from."""

    def judge(
        self,
        feature_NF: Block,
        modality: str,
        query_sets: Sequence[np.ndarray] = (),
        reference_sets: Sequence[np.ndarray] = (),
    ) -> list[Nearness]:
        """Tell which queries are near, of all the features that the tower is given.

        A text without features is near nothing: no word of it is known. For the sets, which keep
        an item of the catalogue from being near to itself, see `nearest_distances`.
        """
        query_NF = unit_rows(feature_NF[:, self.columns])
        distances = nearest_distances(query_NF, self.unit_RF, query_sets, reference_sets)
        found = []
        for distance in distances.tolist():
            if np.isnan(distance):
                found.append(Nearness(False, None, self.limit, self.share, modality))
            else:
                near = None if self.limit is None else distance <= self.limit
                found.append(Nearness(near, distance, self.limit, self.share, modality))
        return found

    def save(self, folder: Path, modality: str, item_ids: Sequence[str]) -> dict[str, Any]:
        """Write the features.

        Returns:
            All the rest, which `load_references` wants to find in index.json.
        """
        columns = {"item_id": pa.array(item_ids, pa.string()), **columns_of(modality, self.unit_RF)}
        batch = pa.record_batch(columns)
        write_mapped(references_file(folder, modality), batch.schema, [batch])
        return {
            "limit": self.limit,
            "share": self.share,
            "queries": self.queries,
            "columns": [self.columns.start, self.columns.stop],
        }


def references_file(folder: Path, modality: str) -> Path:
    """The file of a modality's references, with their `item_id`, for `map_table`."""
    return folder / FOLDER / f"{modality}.arrow"


def load_references(folder: Path, modality: str, *, model: Path) -> References | None:
    """Read what `References.save` wrote and index.json tells of.

    Returns:
        The references; None where there is no index of this model, or one of an earlier version.

    Raises:
        InputError: A file is missing or damaged.
    """
    path = folder / "index.json"
    if not path.is_file():
        return None
    noted = read_json(path)
    if isinstance(noted, dict) and noted.get("format_version") != FORMAT_VERSION:
        return None
    description = read_json_as(path, _Noted, "run huse index")
    if description["model"] != model_digest(model):
        return None
    try:
        fitted: dict[str, Any] = {**description["near"][modality]}
        fitted["columns"] = slice(*fitted["columns"])
        table = map_table(references_file(folder, modality), ["item_id"])
        width = fitted["columns"].stop - fitted["columns"].start
        return References(unit_RF=block_of(table, modality, width), **fitted)
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: damaged ({error}); run huse index") from error


def unit_rows(feature_NF: Block) -> Block:
    """Scale rows to unit norm; a row of zeros stays one."""
    square_NF = feature_NF**2 if isinstance(feature_NF, np.ndarray) else feature_NF.power(2)
    norm_N = np.sqrt(np.asarray(square_NF.sum(axis=1))).ravel()
    return diags(1 / np.where(norm_N > 0, norm_N, 1)) @ feature_NF


def nearest_distances(
    query_NF: Block,
    reference_RF: Block,
    query_sets: Sequence[np.ndarray] = (),
    reference_sets: Sequence[np.ndarray] = (),
) -> np.ndarray:
    """Cosine distance of every query to its nearest reference.

    Args:
        query_NF: [N, F], rows of unit norm or zero.
        reference_RF: [R, F], rows of unit norm or zero; R at least 1.
        query_sets: Arrays of N numbers of sets that the queries belong to.
        reference_sets: As many arrays of R. A reference that shares any set with the query does not
            count.

    Returns:
        [N] float32; NaN for a query that is zero, infinity where no reference counts.
    """
    distance_N = np.empty(query_NF.shape[0], dtype=np.float32)
    for start in range(0, len(distance_N), ROWS):
        part = slice(start, start + ROWS)
        similarity_BR = query_NF[part] @ reference_RF.T
        if not isinstance(similarity_BR, np.ndarray):
            similarity_BR = similarity_BR.toarray()
        for query_set_N, reference_set_R in zip(query_sets, reference_sets, strict=True):
            similarity_BR[query_set_N[part, None] == reference_set_R] = -np.inf
        # Rounding can make a cosine greater than one.
        distance_N[part] = np.maximum(1.0 - similarity_BR.max(axis=1), 0.0)
    distance_N[np.asarray(abs(query_NF).sum(axis=1)).ravel() == 0] = np.nan
    return distance_N
