"""A fair choice of some of many items.

Shape letters: N items, M chosen.
"""

import numpy as np


def draw_sample(count: int, size: int, seed: int) -> np.ndarray:
    """Draw items at random, each as likely as any other and none twice.

    Catalogues are sorted, often by class: neither their beginning nor evenly spaced rows stand for
    all of them.

    Args:
        count: N, how many there are.
        size: How many are wanted.
        seed: The same seed chooses the same items, on any machine.

    Returns:
        [M] int64 positions among the N items, ascending; all of them where no more than `size` are
        there. Memory grows with M alone.
    """
    if count <= size:
        return np.arange(count)
    chosen = np.random.default_rng(seed).choice(count, size, replace=False, shuffle=False)
    return np.sort(chosen)
