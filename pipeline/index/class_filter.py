"""Which items are of a part of the class tree.

Shape letters: N items.
"""

from __future__ import annotations

from difflib import get_close_matches

import numpy as np
import pyarrow as pa

from pipeline.core.errors import InputError
from pipeline.core.vectors import numbers


class ClassFilter:
    """The class paths of N items."""

    def __init__(self, path_N: pa.ChunkedArray, separator: str) -> None:
        """Take N class paths and what joins their parts."""
        paths = path_N.combine_chunks().dictionary_encode()
        self._number_N = numbers(paths.indices)
        self._paths = paths.dictionary.to_pylist()
        self._separator = separator

    def within(self, beginning: str) -> np.ndarray:
        """Find the items of a part of the class tree.

        Args:
            beginning: First parts of a class path, whole; case and spacing do not matter.

        Returns:
            [N] bool, not all false.

        Raises:
            InputError: No item is there.
        """
        wanted = self._parts(beginning)
        inside = [self._parts(path)[: len(wanted)] == wanted for path in self._paths]
        if not any(inside) or not wanted:
            close = [repr(path) for path in self._close_to(wanted)]
            hint = (
                f"did you mean {', '.join(close)}?"
                if close
                else "data/catalog/classes.json has them all"
            )
            raise InputError(f"no item is of class {beginning!r}; {hint}")
        return np.array(inside)[self._number_N]

    def _close_to(self, wanted: list[str]) -> list[str]:
        """Up to three parts of the tree; most likely a name was cut short or lacks its start."""
        separator = self._separator
        nodes = {
            separator.join(path.split(separator)[:depth]): depth
            for path in self._paths
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

    def _parts(self, path: str) -> list[str]:
        parts = [" ".join(part.split()) for part in path.split(self._separator)]
        return [part.casefold() for part in parts if part]
