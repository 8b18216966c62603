"""Distances in the class tree."""

from collections.abc import Sequence
from itertools import takewhile

import numpy as np
import pandas as pd


def edges_between(one: Sequence[str], other: Sequence[str]) -> int:
    """Edges of the class tree between two nodes: up to the nearest node above both, and down."""
    pairs = zip(one, other, strict=False)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return len(one) + len(other) - 2 * shared


def tree_distances(paths: pd.Series, others: pd.Series, separator: str) -> np.ndarray:
    """[M] int64 edges between the classes of M pairs; each pair of classes is looked at once."""
    pairs = pd.DataFrame({"one": paths.to_numpy(), "other": others.to_numpy()})
    distinct = pairs.drop_duplicates()
    edges = [
        edges_between(one.split(separator), other.split(separator))
        for one, other in distinct.itertuples(index=False)
    ]
    found = pairs.merge(distinct.assign(edges=edges), on=["one", "other"], how="left")
    return found["edges"].to_numpy(dtype=np.int64)
