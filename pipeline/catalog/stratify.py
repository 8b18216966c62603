"""Draw train, val and test by class, whole components at a time.

Where a component goes follows from hashes of the seed, of its items and of its class, and not
from a random stream: neither the order of the rows nor items of an unrelated class move it.

Shape letters: N items, C components, K classes.
"""

import hashlib

import numpy as np
from scipy.sparse import csc_array


def stratify(
    item_id_N: np.ndarray,
    component_N: np.ndarray,
    *,
    class_name_N: np.ndarray,
    val: float,
    test: float,
    seed: int,
    min_class_size: int,
) -> np.ndarray:
    """Assign components to splits so that every class has its shares as nearly as they allow.

    A component counts for its most frequent class. Within a class components are put in the
    order of their hashes, and each goes by the middle of the interval that it takes up in the
    running number of items: test comes first, then val, then train.

    Shares are rounded to whole items by an offset of the class's own, as round-to-nearest would
    give classes of three items no val at all, however many such classes there are.

    Args:
        item_id_N: [N] unique strings.
        component_N: [N] component numbers from 0 without gaps.
        class_name_N: [N] class names.
        val: Share for validation, in [0, 1).
        test: Share for the test, in [0, 1); val + test < 1.
        seed: Another seed gives another split.
        min_class_size: A class with fewer items stays wholly in train, and so do all components
            that hold an item of it.

    Returns:
        [N] of train, val and test; every class has an item in train.
    """
    names_K, class_N = np.unique(class_name_N, return_inverse=True)
    first_C = _first_ids(item_id_N, component_N)
    count_CK = csc_array((np.ones(len(class_N), dtype=np.int64), (component_N, class_N)))
    size_C = count_CK.sum(axis=1)
    # argmax takes the first of equals, which is the alphabetically first class.
    stratum_C = count_CK.argmax(axis=1)
    small_K = count_CK.sum(axis=0) < min_class_size
    pinned_C = count_CK[:, small_K].sum(axis=1) > 0

    # Pinned components come last, where train is, so that val and test get their shares of the
    # whole class from the others.
    hash_C = np.array([_fraction(seed, name) for name in first_C])
    order_C = np.lexsort((first_C, hash_C, pinned_C, stratum_C))
    middle_C = _middles(size_C, stratum_C, order_C)

    total_K = np.bincount(stratum_C, weights=size_C, minlength=len(names_K))
    offset_K = np.array([_fraction(seed, name) for name in names_K])
    end_of_test_K = np.floor(test * total_K + offset_K)
    end_of_val_K = np.floor((test + val) * total_K + offset_K)
    split_C = np.full(len(size_C), "train", dtype=object)
    split_C[~pinned_C & (middle_C < end_of_val_K[stratum_C])] = "val"
    split_C[~pinned_C & (middle_C < end_of_test_K[stratum_C])] = "test"
    _give_every_class_to_train(split_C, count_CK, size_C, middle_C, first_C)
    return split_C[component_N]


def _first_ids(item_id_N: np.ndarray, component_N: np.ndarray) -> np.ndarray:
    order_N = np.argsort(item_id_N)
    _, place_C = np.unique(component_N[order_N], return_index=True)
    return item_id_N[order_N][place_C]


def _fraction(seed: int, name: str) -> float:
    """Hash to a number in [0, 1)."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2.0**48


def _middles(size_C: np.ndarray, stratum_C: np.ndarray, order_C: np.ndarray) -> np.ndarray:
    """Give the middle of each component's interval in the running number of its class's items."""
    end = np.cumsum(size_C[order_C])
    start = end - size_C[order_C]
    _, first, which = np.unique(stratum_C[order_C], return_index=True, return_inverse=True)
    middle_C = np.empty(len(size_C))
    middle_C[order_C] = (start + end) / 2.0 - start[first][which]
    return middle_C


def _give_every_class_to_train(
    split_C: np.ndarray,
    count_CK: csc_array,
    size_C: np.ndarray,
    middle_C: np.ndarray,
    first_C: np.ndarray,
) -> None:
    """Move to train, in place, the least component of each class that has nothing there.

    This happens to a class of which all items are the lesser part of other classes' components,
    and to one of very few components.
    """
    for k in range(count_CK.shape[1]):
        holders = count_CK.indices[count_CK.indptr[k] : count_CK.indptr[k + 1]]
        if not (split_C[holders] == "train").any():
            least = min(holders, key=lambda c: (size_C[c], -middle_C[c], first_C[c]))
            split_C[least] = "train"
