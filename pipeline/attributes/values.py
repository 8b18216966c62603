"""Which values of a column are told apart.

Shape letters: N items, F features, V values of a column, C of them that are predicted.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.errors import InputError
from pipeline.features.attributes import json_value, kind_of
from pipeline.features.regression import MOST_WEIGHTS

KEY = "attributes.predict"
MEASURED = ("integer", "number", "date", "time")
"""Kinds of which a value is near to others, and which usually are not there to be told apart."""
MOST_MEASURED = 50
"""Values of such a column: years and sizes have fewer, prices more."""
MOST_VALUES = 1000
"""Values of any column that are predicted: a head has weights for each. See MOST_WEIGHTS too."""


class Values(NamedTuple):
    """A column as numbers."""

    values: list[Any]
    """V values in rising order, as JSON has them."""
    number_N: np.ndarray
    """[N] int64 number of each item's value, -1 where it has none."""


def number_values(name: str, table: pa.Table, path: Path, is_train_N: np.ndarray) -> Values:
    """Number the values of a kept column.

    Args:
        name: The column.
        table: N rows of kept columns.
        path: Where they are from, for messages.
        is_train_N: [N] bool, which items are trained on.

    Raises:
        InputError: There is no such column, or it measures rather than tells apart.
    """
    if name not in table.column_names:
        raise InputError(f"{path}: has no column {name}, which {KEY} names; run huse catalog again")
    column = table[name]
    distinct = pc.unique(column).drop_null()
    if isinstance(distinct, pa.ChunkedArray):
        distinct = distinct.combine_chunks()
    distinct = distinct.take(pc.array_sort_indices(distinct))
    number_N = pc.fill_null(pc.index_in(column, distinct), -1).to_numpy().astype(np.int64)
    trained = len(np.unique(number_N[is_train_N & (number_N >= 0)]))
    if kind_of(column) in MEASURED and trained > MOST_MEASURED:
        raise InputError(
            f"{KEY}: {name} has {trained} different values ({kind_of(column)}), and values are "
            f"told apart, not estimated: put it into at most {MOST_MEASURED} ranges in a column of "
            "your table, and predict that"
        )
    plain = [
        one if isinstance(one, (bool, int, float, str)) else json_value(one)
        for one in distinct.to_pylist()
    ]
    return Values(plain, number_N)


def frequent(name: str, number_N: np.ndarray, fewest: int, num_features: int) -> np.ndarray:
    """[C] numbers of the values that at least `fewest` of [N] training items have, rising.

    Args:
        name: The column.
        number_N: -1 where an item has none.
        fewest: Items that a value needs.
        num_features: F, for each of which a head has a weight per value.

    Raises:
        InputError: There are too many for a head.
    """
    count_V = np.bincount(number_N[number_N >= 0])
    chosen_C = np.flatnonzero(count_V >= fewest)
    most = min(MOST_VALUES, max(1, MOST_WEIGHTS // num_features))
    if len(chosen_C) > most:
        raise InputError(
            f"{KEY}: {name} has {len(chosen_C)} values with {fewest} training items or more, at "
            f"most {most} are predicted from {num_features} features: raise attributes.fewest, or "
            f"leave {name} out"
        )
    return chosen_C


def tell_of_rare_values(
    name: str, number_N: np.ndarray, fewest: int, warn: Callable[[str], None]
) -> None:
    """Say what is never predicted, of [N] numbers of the training items' values.

    Args:
        name: The column.
        number_N: -1 where an item has none.
        fewest: Items that a value needs.
        warn: Takes one line if most items' values are rarer.

    Raises:
        InputError: All are.
    """
    known_M = number_N[number_N >= 0]
    count_V = np.bincount(known_M)
    rare = int(count_V[count_V < fewest].sum())
    if rare == len(known_M):
        raise InputError(
            f"{KEY}: {name} has no value with {fewest} training items (attributes.fewest): lower "
            f"that, or leave {name} out"
        )
    if 2 * rare > len(known_M):
        warn(
            f"{KEY}: {rare} of the {len(known_M)} training items that have {name} have a value of "
            f"fewer than {fewest} items, which is never predicted"
        )
