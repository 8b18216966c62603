"""Which items are of a part of the class tree.

Shape letters: N items, M of them that a search may find.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import compress

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.errors import InputError
from pipeline.core.vectors import numbers


def likely_places(
    id_N: pa.ChunkedArray,
    path_N: pa.ChunkedArray,
    row_M: np.ndarray,
    likely: Mapping[str, Sequence[str]],
) -> dict[str, np.ndarray]:
    """Find the items that are filed elsewhere but are probably of classes that were added.

    Args:
        id_N: Ids of N items.
        path_N: Their class paths.
        row_M: [M] places of the items that a search may find.
        likely: By the paths of the added classes, ids of the items that are probably of them.

    Returns:
        Of these M, places by the paths of the added classes.
    """
    if not likely:  # as mostly
        return {}
    ids, filed = (column.take(pa.array(row_M)) for column in (id_N, path_N))
    found = {}
    for path, those in likely.items():
        is_one = pc.is_in(ids, pa.array(those, pa.string()))
        is_elsewhere = pc.not_equal(filed, path)
        found[path] = row_M[pc.indices_nonzero(pc.and_(is_one, is_elsewhere)).to_numpy()]
    return found


class ClassFilter:
    """The class paths of N items, and classes that some of them are only believed to be of."""

    def __init__(
        self,
        path_N: pa.ChunkedArray,
        separator: str,
        likely: Mapping[str, np.ndarray] | None = None,
        live_N: np.ndarray | None = None,
    ) -> None:
        """Take N class paths and what joins their parts.

        `likely` has, by the paths of classes that were added to the model, the places of the items
        that are filed elsewhere but are probably of them. `live_N` is [N] bool, false for items
        that were removed: these are nowhere, and a class of them alone is none; None: none was.
        """
        paths = path_N.combine_chunks().dictionary_encode()
        self._number_N = numbers(paths.indices)
        self._paths = paths.dictionary.to_pylist()
        self._live_N = live_N
        used = self._number_N if live_N is None else self._number_N[live_N]
        self._used = (np.bincount(used, minlength=len(self._paths)) > 0).tolist()
        """Of each path, whether any item is there."""
        self._separator = separator
        self._likely = likely or {}

    def within(self, beginning: str) -> np.ndarray:
        """Find the items of a part of the class tree.

        In a part that has none but added classes, items that are probably of these are found too.
        Elsewhere an item is where it is filed.

        Args:
            beginning: First parts of a class path, whole; case and spacing do not matter.

        Returns:
            [N] bool, not all false.

        Raises:
            InputError: No item is there.
        """
        wanted = self._parts(beginning)
        inside = [
            is_used and self._begins(path, wanted)
            for path, is_used in zip(self._paths, self._used, strict=True)
        ]
        inside_N = np.array(inside)[self._number_N]
        if self._live_N is not None:
            inside_N &= self._live_N
        added = [path for path in self._likely if self._begins(path, wanted)]
        filed = [path for path, is_inside in zip(self._paths, inside, strict=True) if is_inside]
        if added and all(any(self._is_of(path, one) for one in added) for path in filed):
            inside_N[np.concatenate([self._likely[path] for path in added])] = True
            if not inside_N.any():
                raise InputError(
                    f"no item is of class {beginning!r}, which was added to the model: none is "
                    "filed there, and none of the catalogue is probably of it"
                )
        if not inside_N.any() or not wanted:
            close = [repr(path) for path in self._close_to(wanted)]
            hint = (
                f"did you mean {', '.join(close)}?"
                if close
                else "data/catalog/classes.json has them all"
            )
            raise InputError(f"no item is of class {beginning!r}; {hint}")
        return inside_N

    def _close_to(self, wanted: list[str]) -> list[str]:
        """Up to three parts of the tree; most likely a name was cut short or lacks its start."""
        separator = self._separator
        nodes = {
            separator.join(path.split(separator)[:depth]): depth
            for path in (*compress(self._paths, self._used), *self._likely)
            for depth in range(1, path.count(separator) + 2)
        }
        if not wanted:
            return [node for node in sorted(nodes) if nodes[node] == 1][:3]
        name = separator.join(wanted)
        by_name = {separator.join(self._parts(node)): node for node in sorted(nodes)}
        close = [
            found
            for found, node in by_name.items()
            if (nodes[node] == len(wanted) and found.startswith(name))
            or self._parts(node)[-len(wanted) :] == wanted
        ]
        close = close or get_close_matches(name, by_name, n=3, cutoff=0.4)
        return [by_name[found] for found in close[:3]]

    def _begins(self, path: str, wanted: list[str]) -> bool:
        return self._parts(path)[: len(wanted)] == wanted

    def _is_of(self, path: str, added: str) -> bool:
        return self._begins(path, self._parts(added))

    def _parts(self, path: str) -> list[str]:
        parts = [" ".join(part.split()) for part in path.split(self._separator)]
        return [part.casefold() for part in parts if part]
