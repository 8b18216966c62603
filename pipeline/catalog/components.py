"""Items that belong together: variants of one product, one picture twice, one text twice.

Shape letters: N items.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def find_components(items: pd.DataFrame, keep_together: Collection[str]) -> np.ndarray:
    """Number the sets of items that are linked, directly or over others, by a shared value.

    Args:
        items: N items with `group` (empty: none), `image`, `digest` (of the picture's file; empty:
            it cannot be read) and `text`.
        keep_together: Which of group, image and text link two items. Texts are compared without
            case and with whitespace collapsed.

    Returns:
        [N] component numbers from 0 without gaps.
    """
    # Two kinds of nodes: an item has an edge to each of its values, which is linear in N where
    # edges between items are quadratic in a group's size.
    num_items = num_nodes = len(items)
    item_nodes, value_nodes = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for column in keep_together:
        value_N, distinct = pd.factorize(_values(items, column))
        linked = np.flatnonzero(value_N >= 0)
        item_nodes.append(linked)
        value_nodes.append(value_N[linked] + num_nodes)
        num_nodes += len(distinct)
    edge = (np.concatenate(item_nodes), np.concatenate(value_nodes))
    graph = coo_array((np.ones(len(edge[0]), np.int8), edge), shape=(num_nodes, num_nodes))
    label_N = connected_components(graph, directed=False)[1][:num_items]
    return np.unique(label_N, return_inverse=True)[1]


def number_values(items: pd.DataFrame) -> pd.DataFrame:
    """Number what items can have in common, each kind by itself.

    Retrieval leaves out what makes a result worthless: the query's own product, the same picture
    to a picture, the same text to a text. A chain of such links, as `find_components` follows it,
    would leave out results that are worth having.

    Args:
        items: N items, as for `find_components`.

    Returns:
        `product` (the group that the user gave), `picture`, `text` and `near_text`: int64 numbers
        that items share where the value is the same. An item without a value has a number of its
        own.
    """
    columns = {
        "product": _values(items, "group"),
        "picture": _values(items, "image"),
        "text": _values(items, "text"),
        "near_text": _values(items, "text"),
    }
    return pd.DataFrame({name: _numbers(values) for name, values in columns.items()})


def count_divided(items: pd.DataFrame, splits: pd.DataFrame, keep_together: Collection[str]) -> int:
    """Count the components with items on more than one side of a split.

    None are there unless the user gave the split. Each is a leak: something of the test split was
    seen in training.

    Args:
        items: N items, as for `find_components`.
        splits: `item_id` and `split` of the same items.
        keep_together: Which of group, image and text link two items.

    Returns:
        Number of divided components.
    """
    split_of = splits.set_index("item_id")["split"]
    split_N = items["item_id"].map(split_of)
    sides = split_N.groupby(find_components(items, keep_together)).nunique()
    return int((sides > 1).sum())


def _numbers(values: pd.Series) -> np.ndarray:
    """Number values from 0; one that is missing is like no other."""
    number_N, distinct = pd.factorize(values)
    missing = np.flatnonzero(number_N < 0)
    number_N[missing] = len(distinct) + np.arange(len(missing))
    return number_N.astype(np.int64)


def _values(items: pd.DataFrame, column: str) -> pd.Series:
    """Give what is compared; missing where an item is linked to none."""
    if column == "text":
        return items["text"].map(lambda text: " ".join(text.casefold().split()))
    if column == "group":
        return items["group"].mask(items["group"] == "")
    # A file that cannot be read has no content to go by.
    return items["digest"].mask(items["digest"] == "", items["image"])
