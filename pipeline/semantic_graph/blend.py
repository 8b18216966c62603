"""Two graphs as one.

Shape letters: K classes, E and F dimensions of the two embeddings.
"""

import numpy as np


def blend(first_KE: np.ndarray, second_KF: np.ndarray, weight: float) -> np.ndarray:
    """Embed the classes so that their distances are a weighted mean of two graphs' distances.

        d = weight * d_first + (1 - weight) * d_second

    Both embeddings are scaled to unit norm, multiplied by the square root of their weight and put
    side by side, which gives exactly this cosine distance.

    Returns:
        [K, E + F] float, rows of unit norm.
    """
    parts = [
        share**0.5 * embedding / np.linalg.norm(embedding, axis=1, keepdims=True)
        for share, embedding in ((weight, first_KE), (1 - weight, second_KF))
    ]
    return np.concatenate(parts, axis=1)
