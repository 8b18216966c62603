"""Items that belong together: variants of one product, one picture twice, one text twice.

Shape letters: N items.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pipeline.catalog.near_text import plain_text

COLUMN_OF = {"group": "product", "image": "picture", "text": "tied_text", "near_text": "near_text"}
"""What split.keep_together names -> the column of `number_values` that holds it."""


def number_values(items: pd.DataFrame, placeholders: Collection[str] = ()) -> pd.DataFrame:
    """Number what items can have in common, each kind by itself.

    Retrieval leaves out what makes a result worthless: the query's own product, the same picture
    to a picture, the same text to a text. A chain of such links, as `find_components` follows it,
    would leave out results that are worth having.

    Args:
        items: N items with `item_id`, `group`, `digest` (what is in the picture), `plain_text` and
            `near_text`; empty: none.
        placeholders: Texts that say nothing of an item, so that sharing one ties nothing; a text
            is no find for the same text all the same.

    Returns:
        `item_id`, and `product` (the group that the user gave), `picture`, `text`, `tied_text` and
        `near_text`: int64 numbers that items share where the value is the same. An item without a
        value has a number of its own, and in the last two columns one with a placeholder.
    """
    group_N, digest_N, text_N, near_text_N = (
        items[name].mask(items[name] == "")
        for name in ("group", "digest", "plain_text", "near_text")
    )
    is_placeholder_N = text_N.isin([plain_text(text) for text in placeholders])
    values = {
        "product": group_N,
        "picture": digest_N,
        "text": text_N,
        "tied_text": text_N.mask(is_placeholder_N),
        "near_text": near_text_N.mask(is_placeholder_N),
    }
    numbers = {name: _numbers(value_N) for name, value_N in values.items()}
    return pd.DataFrame({"item_id": items["item_id"].to_numpy(), **numbers})


def find_components(numbers: pd.DataFrame, keep_together: Collection[str]) -> np.ndarray:
    """Number the sets of items, [N] from 0 without gaps, that are linked by a shared value.

    Links of links count too; `keep_together` says which of COLUMN_OF link two items.
    """
    # Two kinds of nodes: an item has an edge to each of its values, which is linear in N where
    # edges between items are quadratic in a group's size.
    num_items = num_nodes = len(numbers)
    item_nodes, value_nodes = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for name in keep_together:
        value_N = numbers[COLUMN_OF[name]].to_numpy()
        item_nodes.append(np.arange(num_items))
        value_nodes.append(value_N + num_nodes)
        num_nodes += int(value_N.max(initial=-1)) + 1
    edge = (np.concatenate(item_nodes), np.concatenate(value_nodes))
    graph = coo_array((np.ones(len(edge[0]), np.int8), edge), shape=(num_nodes, num_nodes))
    label_N = connected_components(graph, directed=False)[1][:num_items]
    return np.unique(label_N, return_inverse=True)[1]


def _numbers(values: pd.Series) -> np.ndarray:
    """Number values from 0; one that is missing is like no other."""
    number_N, distinct = pd.factorize(values)
    missing = np.flatnonzero(number_N < 0)
    number_N[missing] = len(distinct) + np.arange(len(missing))
    return number_N.astype(np.int64)
