"""The searchable catalogue: a FAISS index with what is shown of every item.

Shape letters: N items, Q queries, D embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json, write_json
from pipeline.core.once import once
from pipeline.core.table import open_parquet
from pipeline.features.attributes import write_attributes
from pipeline.index.build import exact_part
from pipeline.index.class_filter import ClassFilter
from pipeline.index.hit import Hit
from pipeline.index.hybrid import DEPTH, Mode, candidates_by_words, in_order, keep_inside
from pipeline.index.item_pictures import ItemPictures
from pipeline.index.where import matching
from pipeline.index.words import FOLDER, WordIndex

if TYPE_CHECKING:
    import pandas as pd

FORMAT_VERSION = 1
ATTRIBUTES = "attributes.parquet"
PICTURES = "pictures.parquet"
SHOWN = ["item_id", "image", "text", "class_path", "split", "x", "y"]
"""Columns of items.parquet, one row per vector of the index."""
SEARCHED = ["class_path", "text", "split", "item_id", "image"]
"""Of these, what an expression may name beside the attributes."""


class CatalogIndex:
    """N items of a catalogue that can be searched by their embeddings."""

    def __init__(
        self,
        index: Any,
        items: pa.Table,
        description: dict[str, Any],
        words: WordIndex | None = None,
        attributes: pa.Table | None = None,
        pictures: ItemPictures | None = None,
    ) -> None:
        """Put an index together; use `load`. Rows of `items` have the columns SHOWN.

        `attributes` has a row for each of them, as `read_attributes` gives them, or is left out.
        `pictures` are those of items that have several.
        With `words` of their texts, the description has `mode` and `weight` under `words`.
        """
        self._index = index
        self._words = words
        self._items = items.select(SHOWN)
        self._pictures = pictures
        self.attributes = items.select(["item_id"]) if attributes is None else attributes
        """`item_id`, and a column per attribute."""
        self.description = description

    @property
    def attribute_names(self) -> list[str]:
        """What the items can be searched by beside SEARCHED."""
        return self.attributes.column_names[1:]

    def __len__(self) -> int:
        return len(self._items)

    @once
    def items(self) -> pd.DataFrame:
        """What is shown of the items; a search has no need of it, nor to wait for pandas."""
        return self._items.to_pandas()

    @property
    def images(self) -> list[str]:
        """Paths of pictures: one per item, then those of items that have several."""
        others = [] if self._pictures is None else self._pictures.images
        return [*self._items["image"].to_pylist(), *others]

    def save(self, folder: Path, *, model: Path) -> None:
        """Write `index.faiss`, `index.json`, `words` and the tables of items.

        `index.json` names the model.
        """
        with atomic_path(folder / "index.faiss") as temporary:
            faiss.write_index(self._index, str(temporary))
        with atomic_path(folder / "items.parquet") as temporary:
            pq.write_table(self._items.replace_schema_metadata(None), temporary)
        write_attributes(folder / ATTRIBUTES, self.attributes)
        if self._pictures is not None:
            self._pictures.save(folder / PICTURES)
        described: dict[str, Any] = {"format_version": FORMAT_VERSION}
        described |= {"model": model_digest(model), **self.description}
        if self._words is not None:
            self._words.save(folder / FOLDER)
            described["words"] = {**described["words"], "digest": self._words.digest}
        write_json(folder / "index.json", described)

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
        items = open_parquet(folder / "items.parquet", SHOWN).read(SHOWN)
        try:
            index = faiss.read_index(str(folder / "index.faiss"))
        except RuntimeError as error:
            reason = " ".join(str(error).split())[-200:]
            raise InputError(f"{folder}: damaged index ({reason}); run huse index") from error
        if index.ntotal != len(items):
            raise InputError(
                f"{folder}: {index.ntotal} vectors but {len(items)} items; run huse index"
            )
        words = None
        if "words" in description:  # an index of an earlier version has none
            words = WordIndex.load(folder / FOLDER)
            if words.digest != description["words"]["digest"] or len(words) != len(items):
                raise InputError(f"{folder / FOLDER}: words of another index; run huse index")
        attributes = None
        if (folder / ATTRIBUTES).exists():  # an index of an earlier version has none
            attributes = open_parquet(folder / ATTRIBUTES, ["item_id"]).read()
            if len(attributes) != len(items):
                raise InputError(f"{folder / ATTRIBUTES}: of another index; run huse index")
        pictures = None
        if (folder / PICTURES).exists():
            pictures = ItemPictures.load(folder / PICTURES)
        return cls(index, items, description, words, attributes, pictures)

    def search(
        self,
        query_QD: np.ndarray,
        k: int,
        within: str | None = None,
        texts: Sequence[str | None] | None = None,
        mode: Mode | None = None,
        where: str | None = None,
    ) -> list[list[Hit]]:
        """Find the nearest items of every query, or those that have its words as well.

        Args:
            query_QD: [Q, D] float, rows of unit norm.
            k: How many to find.
            within: First parts of a class path, whole: only items there are found. The search is
                then exact for every kind of index but ivfpq, whose vectors are approximations.
            texts: Q texts as they were typed, None for a query without; or nothing at all.
            mode: What a text is searched by; as the index was made if not given. A text of which no
                item has a word is searched by its embedding.
            where: What has to be true of an item, see `matching`; exact as `within` is.

        Returns:
            Q lists of up to `k` hits, the best first.

        Raises:
            InputError: No item is of that class, `where` cannot be read or is true of no item, or
                the index has no words.
            ValueError: The shape or the mode is wrong, or `k` is below 1.
        """
        mode = self._mode(mode)
        if query_QD.ndim != 2 or query_QD.shape[1] != self._index.d or k < 1:
            raise ValueError(f"queries {query_QD.shape}, k {k}; need [Q, {self._index.d}], k > 0")
        texts = [None] * len(query_QD) if texts is None else texts
        if len(texts) != len(query_QD):
            raise ValueError(f"{len(query_QD)} queries and {len(texts)} texts")
        query_QD = np.ascontiguousarray(query_QD, dtype=np.float32)
        inside_N = self._inside(within, where)
        by_words: list[np.ndarray | None] = [None] * len(texts)
        if self._words is not None and mode != "dense":
            by_words = [
                None if text is None else keep_inside(self._words.scores(text), inside_N)
                for text in texts
            ]
        alone = [q for q, score_N in enumerate(by_words) if score_N is None]
        nearest = self._nearest(query_QD[alone], k, inside_N)
        found = dict(zip(alone, map(self._hits, *nearest), strict=True))
        for q, score_N in enumerate(by_words):
            if score_N is not None:
                found[q] = self._with_words(query_QD[q : q + 1], score_N, k, inside_N, mode)
        if self._pictures is not None and mode != "words":
            show, last = self._pictures.show, len(self)
            found = {q: [show(hit, query_QD[q], last) for hit in found[q]] for q in found}
        return [found[q] for q in range(len(texts))]

    def _with_words(
        self,
        query_1D: np.ndarray,
        score_N: np.ndarray,
        k: int,
        inside_N: np.ndarray | None,
        mode: Mode,
    ) -> list[Hit]:
        """Find the best candidates by words, of many that tie the nearest, and by embedding."""
        number = max(k, DEPTH)
        parts = [self._nearest(query_1D, number, candidates_by_words(score_N, number))]
        if mode == "hybrid":
            parts.append(self._nearest(query_1D, number, inside_N))
        similarity_C, row_C = (np.hstack(one)[0] for one in zip(*parts, strict=True))
        similarity_C, row_C = similarity_C[row_C >= 0], row_C[row_C >= 0]
        weight = self.description["words"]["weight"]
        best = in_order(row_C, similarity_C, score_N, mode, weight)[:k]
        return self._hits(similarity_C[best], row_C[best], score_N)

    def _nearest(
        self, query_QD: np.ndarray, k: int, inside_N: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Similarities and rows of the items nearest to each query; with [N] bool, of these."""
        index, parameters = self._index, None
        if inside_N is not None:
            index, parameters = exact_part(index)
            bits = np.packbits(inside_N, bitorder="little")
            parameters.sel = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type]
            k = min(k, int(inside_N.sum()))
        return index.search(query_QD, min(k, len(self)), params=parameters)

    def _hits(
        self, similarity_K: np.ndarray, row_K: np.ndarray, score_N: np.ndarray | None = None
    ) -> list[Hit]:
        """Say what was found; an approximate index may find fewer, and gives row -1."""
        # Strings of these alone: a million items' would take longer than the search.
        columns = [self._items[name] for name in SHOWN[:4]]
        return [
            Hit(row, item_id, image, text, class_path, 1.0 - similarity, score, said)
            for row, similarity in zip(row_K.tolist(), similarity_K.tolist(), strict=True)
            if row >= 0
            for item_id, image, text, class_path in [[one[row].as_py() for one in columns]]
            for score in [None if score_N is None else float(score_N[row])]
            for said in [{one: self.attributes[one][row].as_py() for one in self.attribute_names}]
        ]

    def _mode(self, mode: Mode | None) -> Mode:
        if mode is not None and mode not in get_args(Mode):
            raise ValueError(f"mode {mode!r}; need one of {', '.join(get_args(Mode))}")
        if self._words is None:
            if mode in ("hybrid", "words"):
                raise InputError("the index has no words; run dvc repro, or huse index")
            return "dense"
        return self.description["words"]["mode"] if mode is None else mode

    def similar(
        self, row: int, k: int, within: str | None = None, where: str | None = None
    ) -> list[Hit]:
        """Find the items nearest to one of the catalogue.

        Returns:
            Up to `k` hits without the item itself, the nearest first.

        Raises:
            InputError: No item is of that class, or as `search`.
            ValueError: There is no such row.
        """
        if not 0 <= row < len(self):
            raise ValueError(f"row {row} of {len(self)}")
        vector_1D = self._index.reconstruct(row)[None]
        hits = self.search(vector_1D, k + 1, within, where=where)[0]
        return [hit for hit in hits if hit.row != row][:k]

    def within(self, beginning: str) -> np.ndarray:
        """Find the items of a part of the class tree: see `ClassFilter.within`."""
        return self._classes.within(beginning)

    @once
    def _classes(self) -> ClassFilter:
        return ClassFilter(self._items["class_path"], self.description["separator"])

    def _inside(self, within: str | None, where: str | None) -> np.ndarray | None:
        """Find the items that a search may find, [N] bool; None where that is all of them."""
        if within is None and where is None:
            return None
        inside_N = np.ones(len(self), dtype=bool)
        if within is not None:
            inside_N &= self.within(within)
        if where is not None:
            columns = self._items.select(SEARCHED)
            for name in self.attribute_names:
                columns = columns.append_column(name, self.attributes[name])
            inside_N &= matching(columns, where)
        if not inside_N.any():
            raise InputError(f"no item of class {within!r} has {where}")
        return inside_N


def model_digest(model: Path) -> str:
    """SHA-256 of a model's weights, as model.json has it; `load_model` checks that it is theirs.

    Raises:
        InputError: There is no model, or it is of an earlier version.
    """
    description = read_json(model / "model.json")
    if "weights_digest" not in description:
        raise InputError(f"{model}: does not name its weights; train again")
    return description["weights_digest"]
