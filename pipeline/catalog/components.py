"""Items that belong together: variants of one product, one picture twice, one text twice.

Shape letters: N items, P pictures of items, E edges.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pipeline.catalog.near_text import plain_text

COLUMN_OF = {"group": "product", "image": "picture", "text": "tied_text", "near_text": "near_text"}
"""What split.keep_together names -> the column of `number_values` that holds it."""


def number_values(
    items: pd.DataFrame, pictures: pd.DataFrame, placeholders: Collection[str] = ()
) -> pd.DataFrame:
    """Number what items can have in common, each kind by itself.

    Retrieval leaves out what makes a result worthless: the query's own product, the same picture
    to a picture, the same text to a text. A chain of such links, as `find_components` follows it,
    would leave out results that are worth having.

    Args:
        items: N items with `item_id`, `group`, `plain_text` and `near_text`; empty: none.
        pictures: Of these, with `item_id` and `digest`: what is in it. Items of which one has
            pictures in common with another, and that one with a third, have one number.
        placeholders: Texts that say nothing of an item, so that sharing one ties nothing; a text
            is no find for the same text all the same.

    Returns:
        `item_id`, and `product` (the group that the user gave), `picture`, `text`, `tied_text` and
        `near_text`: int64 numbers that items share where the value is the same. An item without a
        value has a number of its own, and in the last two columns one with a placeholder.
    """
    group_N, text_N, near_text_N = (
        items[name].mask(items[name] == "") for name in ("group", "plain_text", "near_text")
    )
    is_placeholder_N = text_N.isin([plain_text(text) for text in placeholders])
    values = {
        "product": group_N,
        "picture": items["item_id"].map(_linked_contents(pictures)),
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
    label_N = _labels(np.concatenate(item_nodes), np.concatenate(value_nodes), num_nodes)
    return np.unique(label_N[:num_items], return_inverse=True)[1]


def _linked_contents(pictures: pd.DataFrame) -> pd.Series:
    """By item id the content that stands for all that its pictures are linked with: the first."""
    item_P, ids = pd.factorize(pictures["item_id"])
    content_P, contents = pd.factorize(pictures["digest"])
    label_P = _labels(item_P, content_P + len(ids), len(ids) + len(contents))[item_P]
    first_P = pictures["digest"].groupby(label_P).transform("first")
    return first_P.groupby(pictures["item_id"].to_numpy()).first()


def _labels(one_E: np.ndarray, other_E: np.ndarray, nodes: int) -> np.ndarray:
    """Number the parts of a graph that its edges hold together: [nodes]."""
    graph = coo_array((np.ones(len(one_E), np.int8), (one_E, other_E)), shape=(nodes, nodes))
    return connected_components(graph, directed=False)[1]


def _numbers(values: pd.Series) -> np.ndarray:
    """Number values from 0; one that is missing is like no other."""
    number_N, distinct = pd.factorize(values)
    missing = np.flatnonzero(number_N < 0)
    number_N[missing] = len(distinct) + np.arange(len(missing))
    return number_N.astype(np.int64)
