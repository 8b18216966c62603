"""Several pictures of one item -> one vector.

Shape letters: P pictures, I image feature.
"""

import numpy as np


def pool(vector_PI: np.ndarray) -> np.ndarray:
    """Pool the pictures of an item, all of them counting alike, however long their vectors are.

    Args:
        vector_PI: [P, I] float32, at least one.

    Returns:
        [I] float32: the mean of their unit vectors, times the mean of their norms, so that it is
        on the scale of the features of items with one picture.
    """
    vector_PI = vector_PI.astype(np.float64)
    norm_P = np.linalg.norm(vector_PI, axis=1)
    unit_PI = vector_PI / np.maximum(norm_P, np.finfo(np.float64).tiny)[:, None]
    return (unit_PI.mean(axis=0) * norm_P.mean()).astype(np.float32)
