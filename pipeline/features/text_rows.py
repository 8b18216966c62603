"""Chosen rows of the text feature table: as a matrix, or as the text tower takes them.

For the matrix torch is not imported.

Shape letters: R rows asked for, T dense features, V vocabulary.
"""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_matrix, hstack, vstack

from pipeline.core.block import Block
from pipeline.core.errors import InputError
from pipeline.core.table import open_parquet
from pipeline.core.vectors import as_one
from pipeline.features.vector_rows import VectorRows

if TYPE_CHECKING:
    from pipeline.features.text_input import StoredText

INDICES, VALUES = "_indices", "_values"


class TextRows:
    """Random access to the text features; one row group is in memory at a time."""

    def __init__(self, path: Path) -> None:
        """Open the table.

        Args:
            path: Parquet with item_id and the columns of one or more blocks: `name`, or
                `name_indices` and `name_values` of a sparse one.

        Raises:
            InputError: The file is missing, is not Parquet, or a column holds no features.
        """
        file = open_parquet(path, ["item_id"])
        names = [name for name in file.schema_arrow.names if name != "item_id"]
        sparse = [name.removesuffix(INDICES) for name in names if name.endswith(INDICES)]
        in_pairs = {name + ending for name in sparse for ending in (INDICES, VALUES)}
        self._file = open_parquet(path, sorted(in_pairs))
        dense = [name for name in names if name not in in_pairs]
        self._dense = VectorRows(path, dense)
        self._sparse = sparse
        self._width = [self._columns(path, name) for name in sparse]
        self._words_N = self._count_words()
        self.dimension = self._dense.dimension
        """T."""
        self.num_words = sum(self._width)
        """V; 0 if no block is sparse."""
        widths = {
            **{name: self._file.schema_arrow.field(name).type.list_size for name in dense},
            **dict(zip(sparse, self._width, strict=True)),
        }
        end_of = dict(zip(widths, accumulate(widths.values()), strict=True))
        self.columns = {
            name: slice(end_of[name] - width, end_of[name]) for name, width in widths.items()
        }
        """Which columns of `read_matrix` each block has."""

    def __len__(self) -> int:
        return self._file.metadata.num_rows

    def nbytes(self, texts: int, words: int) -> int:
        """Bytes of so many texts with so many entries in their sparse part, in memory."""
        # Of a text with a sparse part also where its words begin and how many there are.
        return texts * (4 * self.dimension + 16 * bool(self._sparse)) + 8 * words

    def words(self, row_R: np.ndarray) -> int:
        """Entries in the sparse part of some texts; -1 is a text without."""
        return int(self._words_N[row_R[row_R >= 0]].sum())

    def read(self, row_R: np.ndarray) -> StoredText:
        """Read features for the text tower.

        Args:
            row_R: [R] int64 row numbers in any order; -1 gives a row of zeros.

        Returns:
            Features of R texts in the order asked for, on the CPU; its rows are what the tower
            takes.
        """
        from pipeline.features.text_input import stored_text

        return stored_text(*self.read_parts(row_R))

    def read_matrix(self, row_R: np.ndarray) -> Block:
        """Read the same features, [R, T + V], as other libraries take them."""
        dense_RT, words_RV = self.read_parts(row_R)
        if words_RV is None:
            return dense_RT
        return hstack([csr_matrix(dense_RT), words_RV], format="csr")

    def read_parts(self, row_R: np.ndarray) -> tuple[np.ndarray, csr_matrix | None]:
        """Read the same features, [R, T] and [R, V]; None where no block is sparse."""
        dense_RT = self._dense.read(row_R)
        return dense_RT, self._read_sparse(row_R) if self._sparse else None

    def _read_sparse(self, row_R: np.ndarray) -> csr_matrix:
        """Read [R, V] a row group at a time, and put the rows in order."""
        columns = [name + ending for name in self._sparse for ending in (INDICES, VALUES)]
        group_R = self._dense.row_group(row_R)
        # Of the rows as they are read, which was asked for where; first those of zeros.
        places = [np.flatnonzero(row_R < 0)]
        parts = [csr_matrix((len(places[0]), self.num_words), dtype=np.float32)]
        for group in np.unique(group_R[row_R >= 0]):
            place = np.flatnonzero((group_R == group) & (row_R >= 0))
            table = self._file.read_row_group(int(group), columns=columns)
            local = row_R[place] - self._dense.first_row(int(group))
            blocks = []
            for name, width in zip(self._sparse, self._width, strict=True):
                indices = as_one(table[name + INDICES])
                values = as_one(table[name + VALUES]).flatten().to_numpy()
                pointer = indices.offsets.to_numpy() - indices.offsets[0].as_py()
                block = (values, indices.flatten().to_numpy(), pointer)
                blocks.append(csr_matrix(block, shape=(len(indices), width))[local])
            places.append(place)
            parts.append(hstack(blocks, format="csr"))
        return vstack(parts, format="csr")[np.argsort(np.concatenate(places))]

    def _columns(self, path: Path, name: str) -> int:
        metadata = self._file.schema_arrow.metadata or {}
        try:
            return int(metadata[f"{name}.columns".encode()])
        except (KeyError, ValueError) as error:
            raise InputError(
                f"{path}: does not say how many columns block {name} has; make it again"
            ) from error

    def _count_words(self) -> np.ndarray:
        """[N] int64 entries of each text's sparse part."""
        words_N = np.zeros(len(self), dtype=np.int64)
        for name in self._sparse:
            first = 0
            for batch in self._file.iter_batches(columns=[name + INDICES]):
                if not pa.types.is_list(batch.column(0).type):
                    raise InputError(
                        f"{name + INDICES}: not a column of lists; make the table again"
                    )
                length = pc.list_value_length(batch.column(0)).to_numpy(zero_copy_only=False)
                words_N[first : first + len(length)] += length
                first += len(length)
        return words_N
