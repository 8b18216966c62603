"""The semantic graph: A_ij = d(psi(v_i), psi(v_j)) (HUSE eq. 4).

Shape letters: K classes, E class-name embedding.
"""

import numpy as np

ROWS_PER_BLOCK = 1024


def class_adjacency(class_embedding_KE: np.ndarray) -> np.ndarray:
    """Cosine distances between class-name embeddings.

    Args:
        class_embedding_KE: [K, E] float, no row of zeros.

    Returns:
        [K, K] float32 in [0, 2], exactly symmetric, exactly zero on the diagonal. Memory beside it:
        8 K E bytes for a float64 copy of the embeddings.

    Raises:
        ValueError: A row has no direction (all zeros) or is not finite.
    """
    norm_K = np.linalg.norm(class_embedding_KE.astype(np.float64), axis=1)
    if not (np.isfinite(norm_K).all() and (norm_K > 0).all()):
        raise ValueError("a class embedding is zero or not finite")
    unit_KE = class_embedding_KE / norm_K[:, None]
    distance_KK = np.empty((len(norm_K), len(norm_K)), dtype=np.float32)
    for first in range(0, len(norm_K), ROWS_PER_BLOCK):
        rows, right = slice(first, first + ROWS_PER_BLOCK), slice(first, None)
        block = np.clip(1.0 - unit_KE[rows] @ unit_KE[right].T, 0.0, 2.0).astype(np.float32)
        # A matrix product need not round (i, j) as it rounds (j, i): one half is a copy.
        upper = np.triu(block[:, : len(block)], k=1)
        block[:, : len(block)] = upper + upper.T
        distance_KK[rows, right] = block
        distance_KK[right, rows] = block.T
    return distance_KK


def same_name_classes(adjacency_KK: np.ndarray, tolerance: float = 1e-6) -> list[tuple[int, int]]:
    """Index pairs (i, j), i < j, of classes that the graph cannot tell apart."""
    rows, columns = np.nonzero(np.triu(adjacency_KK <= tolerance, k=1))
    return list(zip(rows.tolist(), columns.tolist(), strict=True))
