"""Nearest vectors: a FAISS index, vectors that came after it was made, and rows that are hidden.

Neither makes FAISS write its file again, which takes seconds at a million items, and not every kind
of index can take a vector out.

Shape letters: N rows (those of the index, then those that came after), A the latter, Q queries,
D embedding, K neighbours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import faiss
import numpy as np

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError
from pipeline.index.build import every_vector, usual_search


class _Chosen(NamedTuple):
    """Some of a part's rows, as FAISS takes them."""

    bits: np.ndarray
    number: int

    @classmethod
    def of(cls, wanted: np.ndarray) -> _Chosen:
        return cls(np.packbits(wanted, bitorder="little"), int(wanted.sum()))


class VectorIndex:
    """N vectors of unit norm that are searched by inner product."""

    def __init__(
        self, index: Any, added_AD: np.ndarray | None = None, live_N: np.ndarray | None = None
    ) -> None:
        """Put together.

        Args:
            index: From `build_index`.
            added_AD: [A, D] float32 rows of unit norm, which are searched one by one.
            live_N: [N] bool, what a search may find; all rows if not given.
        """
        self._index = index
        self.dimension = int(index.d)
        """D."""
        self._parts = [(0, index)]
        if added_AD is not None and len(added_AD):
            added = faiss.IndexFlatIP(self.dimension)
            added.add(np.ascontiguousarray(added_AD, dtype=np.float32))
            self._parts.append((index.ntotal, added))
        self.live_N = None if live_N is None or live_N.all() else live_N
        """[N] bool; None: nothing is hidden."""
        # Once: it takes a millisecond at a million rows, as long as a search of a graph.
        self._live = None if self.live_N is None else self._choose(self.live_N)

    def _choose(self, wanted_N: np.ndarray) -> list[_Chosen]:
        """Rows of each part."""
        return [_Chosen.of(wanted_N[start : start + part.ntotal]) for start, part in self._parts]

    def with_added(self, added_AD: np.ndarray, live_N: np.ndarray) -> VectorIndex:
        """The same vectors with others behind them, and rows hidden."""
        return VectorIndex(self._index, added_AD, live_N)

    @property
    def made_of(self) -> int:
        """How many vectors, the first, the index was made of."""
        return int(self._index.ntotal)

    def __len__(self) -> int:
        return sum(part.ntotal for _, part in self._parts)

    def nearest(
        self, query_QD: np.ndarray, k: int, inside_N: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find the rows nearest to each query.

        Args:
            query_QD: [Q, D] float32 rows of unit norm.
            k: How many.
            inside_N: [N] bool: only these are found, by looking at each of them.

        Returns:
            Similarities and rows, both [Q, K], the nearest first; K is `k`, or less where there are
            fewer. An approximate index may find fewer, and gives row -1.
        """
        chosen = self._live
        if inside_N is not None:
            chosen = self._choose(inside_N if self.live_N is None else inside_N & self.live_N)
        k = min(k, len(self) if chosen is None else sum(one.number for one in chosen))
        if not k:
            return np.empty((len(query_QD), 0), np.float32), np.empty((len(query_QD), 0), np.int64)
        found = []
        for number, (start, part) in enumerate(self._parts):
            hidden = 0 if chosen is None else part.ntotal - chosen[number].number
            index, parameters = (
                every_vector(part) if inside_N is not None else usual_search(part, hidden)
            )
            if chosen is not None:
                bits = chosen[number].bits
                parameters.sel = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type]
            similarity_QK, row_QK = index.search(query_QD, k, params=parameters)
            found.append((similarity_QK, np.where(row_QK < 0, -1, row_QK + start)))
        if len(found) == 1:
            return found[0]
        similarity_QC, row_QC = (np.hstack(one) for one in zip(*found, strict=True))
        # What is not there comes last; of equals the earlier row comes first, as in one index.
        order_QK = np.argsort(-similarity_QC, axis=1, kind="stable")[:, :k]
        similarity_QK = np.take_along_axis(similarity_QC, order_QK, axis=1)
        return similarity_QK, np.take_along_axis(row_QC, order_QK, axis=1)

    def vectors(self, row_M: np.ndarray) -> np.ndarray:
        """Give the vectors of M rows, [M, D] float32.

        They are approximations where `index.kind` keeps no others, but for those that came after.
        """
        vector_MD = np.empty((len(row_M), self.dimension), np.float32)
        for start, part in self._parts:
            place = np.flatnonzero((row_M >= start) & (row_M < start + part.ntotal))
            if len(place):
                vector_MD[place] = every_vector(part)[0].reconstruct_batch(row_M[place] - start)
        return vector_MD

    def save(self, path: Path) -> None:
        """Write the FAISS index; what came after it is not part of the file."""
        with atomic_path(path) as temporary:
            faiss.write_index(self._index, str(temporary))


def read_faiss(path: Path) -> Any:
    """Read what `VectorIndex.save` wrote; exact vectors stay in the file, which is mapped.

    Raises:
        InputError: The file is missing or damaged.
    """
    try:
        return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[-200:]
        raise InputError(f"{path.parent}: damaged index ({reason}); run huse index") from error
