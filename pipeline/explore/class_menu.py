"""The class tree as the page shows it: where one is, what is above and below.

Shape letters: N items.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd


class ClassLink(NamedTuple):
    """A part of the class tree that can be chosen."""

    name: str
    """Its last part."""
    path: str
    items: int | None = None
    """How many of the items are there that are left by all other filters."""
    predicted: int = 0
    """Of these, how many are filed elsewhere and probably of a class that was added."""


class ClassMenu:
    """Every beginning of N class paths, and of those of classes that were added to the model."""

    def __init__(
        self,
        class_paths: Sequence[str],
        separator: str,
        rows: np.ndarray | None = None,
        likely: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Take N class paths, what joins their parts, and which of the N there are, if not all.

        `likely` is as `CatalogIndex.likely_rows` has it.
        """
        self._code_N, paths = pd.factorize(np.asarray(class_paths, dtype=object))
        used = np.unique(self._code_N if rows is None else self._code_N[rows])
        self._separator = separator
        self._parts = [tuple(path.split(separator)) for path in paths]
        there = [self._parts[code] for code in used]
        self._likely = {tuple(path.split(separator)): at for path, at in (likely or {}).items()}
        nodes = _beginnings([*there, *self._likely])
        self._only_added = nodes - _beginnings(
            parts for parts in there if not _beginnings([parts]) & set(self._likely)
        )
        self._node_of = {_folded(node): node for node in nodes}
        self.paths = sorted(map(separator.join, nodes))
        """What can be filtered by."""

    def parts(self, path: str) -> tuple[str, ...]:
        """Parts of a path as the catalogue writes them, however it was typed."""
        typed = tuple(part for part in map(_spaced, path.split(self._separator)) if part)
        return self._node_of.get(_folded(typed), typed)

    def trail(self, path: str) -> list[ClassLink]:
        """A link for each part of a path, the most general first."""
        parts = self.parts(path)
        return [
            ClassLink(part, self._separator.join(parts[: depth + 1]))
            for depth, part in enumerate(parts)
        ]

    def below(self, path: str, inside_N: np.ndarray | None) -> list[ClassLink]:
        """What is one level below a path, and has any of the items that are inside.

        Of what is probably of an added class, see `ClassFilter.within`.
        """
        above = self.parts(path)
        code_N = self._code_N if inside_N is None else self._code_N[inside_N]
        counts = Counter[tuple[str, ...]]()
        for parts, count in zip(
            self._parts, np.bincount(code_N, minlength=len(self._parts)).tolist(), strict=True
        ):
            if count and len(parts) > len(above) and parts[: len(above)] == above:
                counts[parts[: len(above) + 1]] += count
        predicted = Counter[tuple[str, ...]]()
        for parts, rows in self._likely.items():
            node = parts[: len(above) + 1]
            if node in self._only_added and len(parts) > len(above) and node[:-1] == above:
                # Who is filed elsewhere below this node is counted already.
                is_filed = np.array([path[: len(node)] == node for path in self._parts])
                is_new = ~is_filed[self._code_N[rows]]
                predicted[node] += int(
                    (is_new if inside_N is None else is_new & inside_N[rows]).sum()
                )
        return [
            ClassLink(
                parts[-1],
                self._separator.join(parts),
                counts[parts] + predicted[parts],
                predicted[parts],
            )
            for parts in sorted(counts | predicted)
        ]


def _beginnings(paths: Iterable[tuple[str, ...]]) -> set[tuple[str, ...]]:
    return {parts[:depth] for parts in paths for depth in range(1, len(parts) + 1)}


def _spaced(part: str) -> str:
    return " ".join(part.split())


def _folded(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.casefold() for part in parts)
