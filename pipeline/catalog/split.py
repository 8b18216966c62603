"""Give every item its split: the user's, or one drawn by class, whole components at a time.

Shape letters: N items, C components, K classes.
"""

import hashlib
from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy.sparse import csc_array

from pipeline.catalog.settings import SplitSettings
from pipeline.core.errors import InputError
from pipeline.features.classes import Classes, class_indices, item_classes


def make_splits(
    items: pd.DataFrame,
    classes: Classes,
    component_N: np.ndarray,
    settings: SplitSettings,
) -> pd.DataFrame:
    """Assign every item to train, val or test.

    A split that the user gave is taken as it is, also where it divides what belongs together
    (`doubt_splits` tells). If it has no val, the share val / (1 - test) of its train becomes val,
    whole sets at a time.

    Args:
        items: N items from `make_items`.
        classes: Their classes.
        component_N: [N] numbers of the sets that are never divided.
        settings: Shares, seed and least size of a class; with a test share of 0 there is no test
            split.

    Returns:
        `item_id` and `split` in the order of the items. Train and val have items, and so has test
        unless its share is 0 or the split that the user gave has none.

    Raises:
        InputError: A split that is needed would be empty.
    """
    split_N = items["split"].to_numpy(dtype=object, copy=True)
    is_given = bool((split_N != "").any())
    if is_given:
        _check_given(split_N)
        rest = 1.0 - settings.test
        settings = settings.model_copy(update={"val": settings.val / rest, "test": 0.0})
    if "val" not in split_N:
        open_N = split_N == "train" if is_given else np.ones(len(items), dtype=bool)
        drawn = items[open_N]
        # Numbered anew without gaps. Two train items that belong together through a test item
        # alone stay together too.
        drawn_component_N = np.unique(component_N[open_N], return_inverse=True)[1]
        split_N[open_N] = stratify(
            drawn["item_id"].to_numpy(dtype=object),
            drawn_component_N,
            class_name_of(drawn, classes),
            settings,
        )
        wanted = ("train", "val", "test") if settings.test > 0.0 else ("train", "val")
        _check_classes(split_N, wanted, class_name_of(drawn, classes), settings.min_class_size)
        _check_drawn(split_N, wanted, num_components=int(drawn_component_N.max()) + 1)
    return pd.DataFrame({"item_id": items["item_id"], "split": split_N}, dtype="str")


def stratify(
    item_id_N: np.ndarray,
    component_N: np.ndarray,
    class_name_N: np.ndarray,
    settings: SplitSettings,
) -> np.ndarray:
    """Assign components to splits so that every class has its shares as nearly as they allow.

    Where a component goes follows from hashes of the seed, of its items and of its class, and not
    from a random stream: neither the order of the rows nor items of an unrelated class move it.

    A component counts for its most frequent class. Within a class components are put in the
    order of their hashes, and each goes by the middle of the interval that it takes up in the
    running number of items: test comes first, then val, then train.

    Shares are rounded to whole items by an offset of the class's own, as round-to-nearest would
    give classes of three items no val at all, however many such classes there are.

    Args:
        item_id_N: [N] unique strings.
        component_N: [N] component numbers from 0 without gaps.
        class_name_N: [N] class names.
        settings: Shares, seed and least size: a smaller class stays wholly in train, and so do all
            components that hold an item of it.

    Returns:
        [N] of train, val and test; every class has an item in train.
    """
    val, test, seed = settings.val, settings.test, settings.seed
    names_K, class_N = np.unique(class_name_N, return_inverse=True)
    first_C = _first_ids(item_id_N, component_N)
    count_CK = csc_array((np.ones(len(class_N), dtype=np.int64), (component_N, class_N)))
    size_C = count_CK.sum(axis=1)
    # argmax takes the first of equals, which is the alphabetically first class.
    stratum_C = count_CK.argmax(axis=1)
    small_K = count_CK.sum(axis=0) < settings.min_class_size
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


def class_name_of(items: pd.DataFrame, classes: Classes) -> np.ndarray:
    """[N] names of the classes of which an item has exactly one."""
    names_K = np.array([entry["name"] for entry in item_classes(classes)], dtype=object)
    return names_K[class_indices(classes, items["class_path"])]


def _check_given(split_N: np.ndarray) -> None:
    if "train" not in split_N:
        raise InputError(
            "catalog.columns.split: no usable row is marked train; mark some, or set the key to "
            "null to have the split drawn"
        )


def _check_classes(
    split_N: np.ndarray, drawn: Iterable[str], class_name_N: np.ndarray, least: int
) -> None:
    """Say what to set where no class is large enough to be divided."""
    sizes = np.unique(class_name_N, return_counts=True)[1]
    missing = [name for name in drawn if name not in split_N]
    if missing and sizes.max() < least:
        raise InputError(
            f"split: no items for {missing[0]}: the largest of {len(sizes)} classes has "
            f"{sizes.max()}, and smaller ones than split.min_class_size ({least}) stay wholly in "
            "train; set split.min_class_size: 1, or name broader classes (catalog.label)"
        )


def _check_drawn(split_N: np.ndarray, drawn: Iterable[str], *, num_components: int) -> None:
    for name in drawn:
        if name not in split_N:
            raise InputError(
                f"split: no items for {name} ({len(split_N)} items, {num_components} sets that "
                f"may be divided); add items, raise split.{name}, lower split.min_class_size, or "
                "shorten split.keep_together"
            )


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
