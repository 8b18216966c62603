"""embeddings.parquet: every item in every modality, for other tools.

Shape letters: N items, D embedding.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from sklearn.decomposition import PCA

from pipeline.dataset.pairs import Pairs
from pipeline.evaluation.embed import Embedded
from pipeline.files.vectors import VectorWriter, vector_array


def write_embeddings(
    path: Path,
    embedded: dict[str, Embedded],
    pairs: Pairs,
    *,
    item_paths: Sequence[str],
    class_paths: Sequence[str],
) -> None:
    """Write item_id, modality, split, vector, class_path, predicted_path, score, x and y.

    x and y are the first two principal components of all embeddings.

    Args:
        path: Parquet file.
        embedded: All items by modality.
        pairs: The same items.
        item_paths: N class paths of the items, each one string.
        class_paths: K class paths in the order of the class indices, each one string.

    Raises:
        InputError: The folder cannot be written to.
    """
    vectors = {name: result.embedding_ND.cpu().numpy() for name, result in embedded.items()}
    dimension = next(iter(vectors.values())).shape[1]
    schema = pa.schema(
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
    plane = PCA(n_components=2, svd_solver="covariance_eigh")
    plane.fit(np.concatenate(list(vectors.values())))
    path_K = np.array(class_paths, dtype=object)
    metadata = {"normalised": "true", "dimension": str(dimension), "plane": "pca"}
    with VectorWriter(path, schema, metadata) as writer:
        for modality, result in embedded.items():
            xy_N2 = plane.transform(vectors[modality]).astype(np.float32)
            columns = [
                pa.array(pairs.item_ids, pa.string()),
                pa.array([modality] * len(pairs), pa.string()),
                pa.array(pairs.split_N, pa.string()),
                vector_array(vectors[modality]),
                pa.array(item_paths, pa.string()),
                pa.array(path_K[result.predicted_N.cpu().numpy()], pa.string()),
                pa.array(result.score_N.cpu().numpy()),
                pa.array(np.ascontiguousarray(xy_N2[:, 0])),
                pa.array(np.ascontiguousarray(xy_N2[:, 1])),
            ]
            writer.append(columns)
