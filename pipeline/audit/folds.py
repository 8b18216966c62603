"""Who is judged by whom: folds over products, and which items are fitted on.

Shape letters: N items, M chosen, K classes, P products.
"""

import numpy as np


def deal_folds(product_N: np.ndarray, label_N: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Deal the products out to folds, those of a class one after the other.

    So variants of one product, which say the same, never judge each other, and a class of two
    products or more always has one outside the fold of an item.

    Args:
        product_N: [N] integers that items of one product share.
        label_N: [N] int64 classes; a product counts with the class of its first item.
        folds: How many.
        seed: Of the order of the products of a class.

    Returns:
        [N] int64 in 0..folds-1.
    """
    _, first_P, product_N = np.unique(product_N, return_index=True, return_inverse=True)
    shuffled_P = np.random.default_rng(seed).permutation(len(first_P))
    order_P = np.lexsort((shuffled_P, label_N[first_P]))
    fold_P = np.empty(len(first_P), dtype=np.int64)
    fold_P[order_P] = np.arange(len(first_P)) % folds
    return fold_P[product_N]


def capped_sample(label_N: np.ndarray, most_items: int, seed: int) -> np.ndarray:
    """Choose items to fit on: all, or else as many of every class as a common bound allows.

    A random sample would leave small classes with nothing.

    Returns:
        [M] int64 positions, ascending; M is at most `most_items`, unless there are more classes
        than that, each of which has one.
    """
    if len(label_N) <= most_items:
        return np.arange(len(label_N))
    count_K = np.bincount(label_N)
    low, high = 1, int(count_K.max())
    while low < high:  # the greatest bound that is affordable
        middle = (low + high + 1) // 2
        if np.minimum(count_K, middle).sum() <= most_items:
            low = middle
        else:
            high = middle - 1
    shuffled_N = np.random.default_rng(seed).permutation(len(label_N))
    order_N = np.lexsort((shuffled_N, label_N))
    begin_K = np.cumsum(count_K) - count_K
    rank_N = np.arange(len(label_N)) - begin_K[label_N[order_N]]
    return np.sort(order_N[rank_N < low])
