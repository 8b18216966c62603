"""The semantic graph: A_ij = d(psi(v_i), psi(v_j)) (HUSE eq. 4).

Shape letters: K classes, E class-name embedding.
"""

import numpy as np


def class_adjacency(class_embedding_KE: np.ndarray) -> np.ndarray:
    """Cosine distances between class-name embeddings.

    Args:
        class_embedding_KE: [K, E] float, no row of zeros.

    Returns:
        [K, K] float32 in [0, 2], exactly symmetric, exactly zero on the diagonal.

    Raises:
        ValueError: A row has no direction (all zeros) or is not finite.
    """
    embedding_KE = class_embedding_KE.astype(np.float64)
    norm_K1 = np.linalg.norm(embedding_KE, axis=1, keepdims=True)
    if not (np.isfinite(norm_K1).all() and (norm_K1 > 0).all()):
        raise ValueError("a class embedding is zero or not finite")
    unit_KE = embedding_KE / norm_K1
    distance_KK = np.clip(1.0 - unit_KE @ unit_KE.T, 0.0, 2.0)
    # A matrix product need not round (i, j) as it rounds (j, i).
    distance_KK = (distance_KK + distance_KK.T) / 2
    np.fill_diagonal(distance_KK, 0.0)
    return distance_KK.astype(np.float32)


def same_name_classes(adjacency_KK: np.ndarray, tolerance: float = 1e-6) -> list[tuple[int, int]]:
    """Pairs of different classes that the graph cannot tell apart.

    Args:
        adjacency_KK: [K, K] distances.
        tolerance: Distance at or below which two classes count as one.

    Returns:
        Index pairs (i, j), i < j.
    """
    rows, columns = np.nonzero(np.triu(adjacency_KK <= tolerance, k=1))
    return list(zip(rows.tolist(), columns.tolist(), strict=True))
