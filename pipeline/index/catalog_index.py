"""The searchable catalogue: a FAISS index with what is shown of every item.

Shape letters: N items, Q queries, D embedding.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import faiss
import numpy as np
import pandas as pd

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json, write_json
from pipeline.core.table import read_table, write_table

FORMAT_VERSION = 1
SHOWN = ["item_id", "image", "text", "class_path", "split", "x", "y"]
"""Columns of items.parquet, one row per vector of the index."""


class Hit(NamedTuple):
    """An item that a search found."""

    row: int
    """Its place in the index."""
    item_id: str
    image: str
    """Path relative to the catalogue's folder of pictures."""
    text: str
    class_path: str
    distance: float
    """Cosine distance to the query, in [0, 2]; small is near."""


class CatalogIndex:
    """N items of a catalogue that can be searched by their embeddings."""

    def __init__(self, index: Any, items: pd.DataFrame, description: dict[str, Any]) -> None:
        """Put an index together; use `load`. Rows of `items` have the columns SHOWN."""
        self._index = index
        self.items = items
        self.description = description
        columns = [items[name].tolist() for name in SHOWN[:4]]
        self._shown: list[tuple[str, str, str, str]] = list(zip(*columns, strict=True))

    def __len__(self) -> int:
        return len(self.items)

    def save(self, folder: Path, *, model: Path) -> None:
        """Write `index.faiss`, `items.parquet` and `index.json`, which names the model."""
        with atomic_path(folder / "index.faiss") as temporary:
            faiss.write_index(self._index, str(temporary))
        write_table(folder / "items.parquet", self.items[SHOWN])
        write_json(
            folder / "index.json",
            {
                "format_version": FORMAT_VERSION,
                "model": model_digest(model),
                **self.description,
            },
        )

    @classmethod
    def load(cls, folder: Path, *, model: Path) -> CatalogIndex:
        """Read what `save` wrote.

        Raises:
            InputError: A file is missing or damaged, of a newer format, or another model's.
        """
        if not (folder / "index.json").is_file():
            raise InputError(f"{folder}: no index here; run dvc repro, or huse index")
        description = read_json(folder / "index.json")
        version = description.get("format_version") if isinstance(description, dict) else None
        if version != FORMAT_VERSION:
            raise InputError(
                f"{folder / 'index.json'}: format version {version}, this program reads "
                f"{FORMAT_VERSION}; update the program or run huse index again"
            )
        if description["model"] != model_digest(model):
            raise InputError(
                f"{folder}: made by another model than {model}; run dvc repro, or huse index"
            )
        items = read_table(folder / "items.parquet", SHOWN)
        try:
            index = faiss.read_index(str(folder / "index.faiss"))
        except RuntimeError as error:
            reason = " ".join(str(error).split())[-200:]
            raise InputError(f"{folder}: damaged index ({reason}); run huse index") from error
        if index.ntotal != len(items):
            raise InputError(
                f"{folder}: {index.ntotal} vectors but {len(items)} items; run huse index"
            )
        return cls(index, items, description)

    def search(self, query_QD: np.ndarray, k: int, within: str | None = None) -> list[list[Hit]]:
        """Find the nearest items of every query.

        Args:
            query_QD: [Q, D] float, rows of unit norm.
            k: How many to find.
            within: First parts of a class path, whole: only items there are found. The search is
                then exact for every kind of index but ivfpq, whose vectors are approximations.

        Returns:
            Q lists of up to `k` hits, the nearest first.

        Raises:
            InputError: No item is of that class.
            ValueError: The shape is wrong, or `k` is below 1.
        """
        if query_QD.ndim != 2 or query_QD.shape[1] != self._index.d or k < 1:
            raise ValueError(f"queries {query_QD.shape}, k {k}; need [Q, {self._index.d}], k > 0")
        query_QD = np.ascontiguousarray(query_QD, dtype=np.float32)
        index, parameters = self._index, None
        if within is not None:
            index, parameters = exact_part(index)
            selected_N = self.within(within)
            bits = np.packbits(selected_N, bitorder="little")
            parameters.sel = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type]
            k = min(k, int(selected_N.sum()))
        similarity_QK, row_QK = index.search(query_QD, min(k, len(self)), params=parameters)
        return [
            [
                Hit(row, item_id, image, text, class_path, 1.0 - similarity)
                for row, similarity in zip(rows, similarities, strict=True)
                if row >= 0  # an approximate index may find fewer
                for item_id, image, text, class_path in [self._shown[row]]
            ]
            for rows, similarities in zip(row_QK.tolist(), similarity_QK.tolist(), strict=True)
        ]

    def similar(self, row: int, k: int, within: str | None = None) -> list[Hit]:
        """Find the items nearest to one of the catalogue.

        Returns:
            Up to `k` hits without the item itself, the nearest first.

        Raises:
            InputError: No item is of that class.
            ValueError: There is no such row.
        """
        if not 0 <= row < len(self):
            raise ValueError(f"row {row} of {len(self)}")
        vector_1D = self._index.reconstruct(row)[None]
        hits = self.search(vector_1D, k + 1, within)[0]
        return [hit for hit in hits if hit.row != row][:k]

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
        inside = [self._parts(path)[: len(wanted)] == wanted for path in self._paths[1]]
        if not any(inside) or not wanted:
            close = [repr(path) for path in self._close_to(wanted)]
            hint = (
                f"did you mean {', '.join(close)}?"
                if close
                else "data/catalog/classes.json has them all"
            )
            raise InputError(f"no item is of class {beginning!r}; {hint}")
        return np.array(inside)[self._paths[0]]

    def _close_to(self, wanted: list[str]) -> list[str]:
        """Up to three parts of the tree; most likely a name was cut short or lacks its start."""
        separator = self.description["separator"]
        nodes = {
            separator.join(path.split(separator)[:depth]): depth
            for path in self._paths[1]
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

    @cached_property
    def _paths(self) -> tuple[np.ndarray, list[str]]:
        """Number of every item's class path, and the paths."""
        number_N, paths = pd.factorize(self.items["class_path"])
        return number_N, list(paths)

    def _parts(self, path: str) -> list[str]:
        parts = [" ".join(part.split()) for part in path.split(self.description["separator"])]
        return [part.casefold() for part in parts if part]


def exact_part(index: Any) -> tuple[Any, Any]:
    """What to search with a filter, and parameters that make it look at all vectors.

    A graph or a few lists alone might miss the items wanted.
    """
    if isinstance(index, faiss.IndexHNSW):
        return faiss.downcast_index(index.storage), faiss.SearchParameters()
    if isinstance(index, faiss.IndexIVF):
        parameters = faiss.SearchParametersIVF()
        parameters.nprobe = index.nlist
        return index, parameters
    return index, faiss.SearchParameters()


def model_digest(model: Path) -> str:
    """SHA-256 of a model's weights, as model.json has it; `load_model` checks that it is theirs.

    Raises:
        InputError: There is no model, or it is of an earlier version.
    """
    description = read_json(model / "model.json")
    if "weights_digest" not in description:
        raise InputError(f"{model}: does not name its weights; train again")
    return description["weights_digest"]
