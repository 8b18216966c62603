"""The searchable catalogue: a FAISS index with what is shown of every item.

Shape letters: N items, Q queries, D embedding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.errors import InputError
from pipeline.core.once import once
from pipeline.core.vectors import vector_matrix
from pipeline.index.changed_values import apply
from pipeline.index.changes import VECTOR
from pipeline.index.class_filter import ClassFilter, likely_places
from pipeline.index.hit import Hit
from pipeline.index.hybrid import DEPTH, Mode, candidates_by_words, in_order, keep_inside
from pipeline.index.item_pictures import ItemPictures
from pipeline.index.standing import Standing
from pipeline.index.vector_index import VectorIndex
from pipeline.index.where import matching
from pipeline.index.words import WordIndex

if TYPE_CHECKING:
    import pandas as pd

SHOWN = ["item_id", "image", "text", "class_path", "split", "x", "y"]
"""Columns of items.parquet, one row per vector of the index."""
SEARCHED = ["class_path", "text", "split", "item_id", "image"]
"""Of these, what an expression may name beside the attributes."""


class CatalogIndex:
    """N items of a catalogue that can be searched by their embeddings."""

    def __init__(
        self,
        index: VectorIndex,
        items: pa.Table,
        description: dict[str, Any],
        words: WordIndex | None = None,
        attributes: pa.Table | None = None,
        pictures: ItemPictures | None = None,
        likely: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Put an index together; use `load_index`. Rows of `items` have the columns SHOWN.

        `attributes` has a row for each of them, as `read_attributes` gives them, or is left out.
        `pictures` are those of items that have several. `likely` is as `beside` has it.
        With `words` of their texts, the description has `mode` and `weight` under `words`.
        """
        self.vector_index, self.words, self.pictures = index, words, pictures
        self.table = items.select(SHOWN)
        self.attributes = items.select(["item_id"]) if attributes is None else attributes
        """`item_id`, and a column per attribute."""
        self._likely = likely or {}
        self._likely_path = {one: path for path, ids in self._likely.items() for one in ids}
        self.description = description

    @property
    def attribute_names(self) -> list[str]:
        """What the items can be searched by beside SEARCHED."""
        return self.attributes.column_names[1:]

    def __len__(self) -> int:
        return len(self.rows)

    @once
    def rows(self) -> np.ndarray:
        """Places of the items that a search may find: not of those that were removed."""
        live_N = self.vector_index.live_N
        return np.arange(len(self.table)) if live_N is None else np.flatnonzero(live_N)

    @once
    def items(self) -> pd.DataFrame:
        """What is shown of the items at all places, also of those that are not in `rows`.

        A search has no need of it, nor to wait for pandas.
        """
        return self.table.to_pandas()

    @property
    def images(self) -> list[str]:
        """Paths of pictures: one per item, then those of items that have several.

        Empty where an item has none, or is not in `rows`: nobody is shown what was removed.
        """
        live_N = self.vector_index.live_N
        pairs = list(enumerate(self.table["image"].to_pylist()))
        if self.pictures is not None:
            pairs += zip(self.pictures.rows, self.pictures.images, strict=True)
        return [image if live_N is None or live_N[row] else "" for row, image in pairs]

    def changed(self, standing: Standing) -> CatalogIndex:
        """The index with items behind its own, changed values, and without what is hidden."""
        added = standing.items
        hidden = pa.array(sorted(standing.hidden), pa.string())
        live_N = np.ones(len(self.table) + len(added), dtype=bool)
        live_N[pc.indices_nonzero(pc.is_in(self.table["item_id"], hidden)).to_numpy()] = False
        table, attributes = (apply(one, standing.changed) for one in (self.table, self.attributes))
        shown = pa.concat_tables([table, added.select(SHOWN).cast(table.schema)])
        return CatalogIndex(
            self.vector_index.with_added(vector_matrix(added[VECTOR]), live_N),
            shown,
            self.description,
            None if self.words is None else self.words.with_added(added["text"].to_pylist()),
            pa.concat_tables([attributes, added.select(attributes.column_names)]),
            self.pictures,
        )

    def beside(self, likely: Mapping[str, Sequence[str]]) -> CatalogIndex:
        """The index, searched by a model that classes were added to after its training.

        Args:
            likely: By the paths of these classes, ids of the items that each is most probable of.
        """
        return CatalogIndex(
            self.vector_index,
            self.table,
            self.description,
            self.words,
            self.attributes,
            self.pictures,
            likely,
        )

    @once
    def likely_rows(self) -> dict[str, np.ndarray]:
        """By the paths of classes that were added to the model, places of what is probably so."""
        return likely_places(
            self.table["item_id"], self.table["class_path"], self.rows, self._likely
        )

    def likely_path(self, item_id: str, class_path: str) -> str | None:
        """See `Hit.likely_path`; None if the item was filed there since."""
        path = self._likely_path.get(item_id)
        return None if path == class_path else path

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
        dimension = self.vector_index.dimension
        if query_QD.ndim != 2 or query_QD.shape[1] != dimension or k < 1:
            raise ValueError(f"queries {query_QD.shape}, k {k}; need [Q, {dimension}], k > 0")
        texts = [None] * len(query_QD) if texts is None else texts
        if len(texts) != len(query_QD):
            raise ValueError(f"{len(query_QD)} queries and {len(texts)} texts")
        query_QD = np.ascontiguousarray(query_QD, dtype=np.float32)
        inside_N = self.inside(within, where)
        findable_N = self.vector_index.live_N if inside_N is None else inside_N
        by_words: list[np.ndarray | None] = [None] * len(texts)
        if self.words is not None and mode != "dense":
            by_words = [
                None if text is None else keep_inside(self.words.scores(text), findable_N)
                for text in texts
            ]
        alone = [q for q, score_N in enumerate(by_words) if score_N is None]
        nearest = self._nearest(query_QD[alone], k, inside_N)
        found = dict(zip(alone, map(self._hits, *nearest), strict=True))
        for q, score_N in enumerate(by_words):
            if score_N is not None:
                found[q] = self._with_words(query_QD[q : q + 1], score_N, k, inside_N, mode)
        if self.pictures is not None and mode != "words":
            show, last = self.pictures.show, len(self.table)
            found = {q: [show(hit, query_QD[q], last) for hit in found[q]] for q in found}
        return [found[q] for q in range(len(texts))]

    @property
    def by_picture(self) -> ItemPictures | None:
        """The pictures, if items are found by their best one."""
        found = self.pictures
        return found if found is not None and found.are_searched else None

    def _nearest(
        self, query_QD: np.ndarray, k: int, inside_N: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `VectorIndex.nearest`, or the best by single pictures of more that are near."""
        if self.by_picture is None:
            return self.vector_index.nearest(query_QD, k, inside_N)
        near = self.vector_index.nearest(query_QD, max(k, DEPTH), inside_N)
        return self.by_picture.best_first(*near, query_QD, k)

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
        parts = [self.vector_index.nearest(query_1D, number, candidates_by_words(score_N, number))]
        if mode == "hybrid":
            parts.append(self.vector_index.nearest(query_1D, number, inside_N))
        similarity_C, row_C = (np.hstack(one)[0] for one in zip(*parts, strict=True))
        similarity_C, row_C = similarity_C[row_C >= 0], row_C[row_C >= 0]
        if self.by_picture is not None:
            similarity_C = self.by_picture.best(row_C, similarity_C, query_1D[0])
        weight = self.description["words"]["weight"]
        best = in_order(row_C, similarity_C, score_N, mode, weight)[:k]
        return self._hits(similarity_C[best], row_C[best], score_N)

    def _hits(
        self, similarity_K: np.ndarray, row_K: np.ndarray, score_N: np.ndarray | None = None
    ) -> list[Hit]:
        """Say what was found; an approximate index may find fewer, and gives row -1."""
        # Strings of these alone: a million items' would take longer than the search.
        columns = [self.table[name] for name in SHOWN[:4]]
        return [
            Hit(row, item_id, image, text, class_path, 1.0 - similarity, score, said, likely)
            for row, similarity in zip(row_K.tolist(), similarity_K.tolist(), strict=True)
            if row >= 0
            for item_id, image, text, class_path in [[one[row].as_py() for one in columns]]
            for score in [None if score_N is None else float(score_N[row])]
            for said in [{one: self.attributes[one][row].as_py() for one in self.attribute_names}]
            for likely in [self.likely_path(item_id, class_path)]
        ]

    def _mode(self, mode: Mode | None) -> Mode:
        if mode is not None and mode not in get_args(Mode):
            raise ValueError(f"mode {mode!r}; need one of {', '.join(get_args(Mode))}")
        if self.words is None:
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
        if not 0 <= row < len(self.table):
            raise ValueError(f"row {row} of {len(self.table)}")
        vector_1D = self.vectors(np.array([row]))
        hits = self.search(vector_1D, k + 1, within, where=where)[0]
        return [hit for hit in hits if hit.row != row][:k]

    def vectors(self, row_M: np.ndarray) -> np.ndarray:
        """Give the vectors of items, [M, D] float32; of ivfpq most are approximations."""
        return self.vector_index.vectors(row_M)

    def within(self, beginning: str) -> np.ndarray:
        """Find the items of a part of the class tree: see `ClassFilter.within`."""
        return self._classes.within(beginning)

    @once
    def _classes(self) -> ClassFilter:
        separator, live_N = self.description["separator"], self.vector_index.live_N
        return ClassFilter(self.table["class_path"], separator, self.likely_rows, live_N)

    def inside(self, within: str | None, where: str | None) -> np.ndarray | None:
        """Find the items that a search may find, [N] bool; None where that is all of them.

        Raises:
            InputError: As `search`.
        """
        if within is None and where is None:
            return None
        live_N = self.vector_index.live_N
        inside_N = np.ones(len(self.table), dtype=bool) if live_N is None else live_N.copy()
        if within is not None:
            inside_N &= self.within(within)
        if where is not None:
            columns = self.table.select(SEARCHED)
            for name in self.attribute_names:
                columns = columns.append_column(name, self.attributes[name])
            inside_N &= matching(columns, where)
        if not inside_N.any():
            which = "where: no item" if within is None else f"no item of class {within!r}"
            raise InputError(f"{which} has {where}")
        return inside_N
