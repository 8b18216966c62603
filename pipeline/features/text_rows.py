"""Chosen rows of the text feature table: as a matrix, or as the text tower takes them.

For the matrix torch is not imported.

Shape letters: R rows asked for, N texts of a buffer, T dense features, L words of the text that
has most, V vocabulary.
"""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_matrix

from pipeline.core.block import Block
from pipeline.core.errors import InputError
from pipeline.core.table import open_parquet
from pipeline.features.text_matrix import TextArrays, matrix_of
from pipeline.features.vector_rows import VectorRows

if TYPE_CHECKING:
    import torch

    from pipeline.features.text_input import TextInput

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
        self._longest = [self._most_words(name) for name in sparse]
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

    @property
    def nbytes_per_row(self) -> int:
        """Bytes of a text's features in memory."""
        return 4 * self.dimension + 8 * sum(self._longest)

    def read(self, row_R: np.ndarray) -> TextInput:
        """Read features as the text tower takes them.

        Args:
            row_R: [R] int64 row numbers in any order; -1 gives a row of zeros.

        Returns:
            Features of R texts in the order asked for, on the CPU.
        """
        import torch

        from pipeline.features.text_input import MixedText

        dense_RT, word_RL, weight_RL = map(torch.from_numpy, self.read_arrays(row_R))
        if not self._sparse:
            return dense_RT
        return MixedText(dense_RT, word_RL, weight_RL, self.num_words)

    def read_matrix(self, row_R: np.ndarray) -> Block:
        """Read the same features, [R, T + V], as other libraries take them."""
        return matrix_of(self.read_arrays(row_R), self.num_words)

    def read_arrays(self, row_R: np.ndarray) -> TextArrays:
        """Read the same features as arrays."""
        shape = (len(row_R), sum(self._longest))
        text = TextArrays(
            self._dense.read(row_R), np.zeros(shape, np.int32), np.zeros(shape, np.float32)
        )
        self._read_sparse(row_R, text)
        return text

    def empty(self, count: int, device: torch.device) -> TextInput:
        """Make room for the features of N texts: zeros."""
        import torch

        from pipeline.features.text_input import MixedText

        dense_NT = torch.zeros(count, self.dimension, device=device)
        if not self._sparse:
            return dense_NT
        longest = sum(self._longest)
        return MixedText(
            dense_NT,
            torch.zeros(count, longest, dtype=torch.int32, device=device),
            torch.zeros(count, longest, device=device),
            self.num_words,
        )

    def _read_sparse(self, row_R: np.ndarray, text: TextArrays) -> None:
        if not self._sparse:
            return
        columns = [name + ending for name in self._sparse for ending in (INDICES, VALUES)]
        group_R = self._dense.row_group(row_R)
        for group in np.unique(group_R[row_R >= 0]):
            place = np.flatnonzero((group_R == group) & (row_R >= 0))
            table = self._file.read_row_group(int(group), columns=columns)
            local = row_R[place] - self._dense.first_row(int(group))
            at = offset = 0
            for name, width, longest in zip(self._sparse, self._width, self._longest, strict=True):
                indices = table[name + INDICES].combine_chunks()
                values = table[name + VALUES].combine_chunks().flatten().to_numpy()
                pointer = indices.offsets.to_numpy() - indices.offsets[0].as_py()
                block = csr_matrix(
                    (values, indices.flatten().to_numpy(), pointer), shape=(len(indices), width)
                )[local]
                length = np.diff(block.indptr)
                filled = np.arange(longest) < length[:, None]
                row, column = np.nonzero(filled)
                text.word_NL[place[row], at + column] = block.indices + np.int32(offset)
                text.weight_NL[place[row], at + column] = block.data
                at += longest
                offset += width

    def _columns(self, path: Path, name: str) -> int:
        metadata = self._file.schema_arrow.metadata or {}
        try:
            return int(metadata[f"{name}.columns".encode()])
        except (KeyError, ValueError) as error:
            raise InputError(
                f"{path}: does not say how many columns block {name} has; make it again"
            ) from error

    def _most_words(self, name: str) -> int:
        longest = 0
        for batch in self._file.iter_batches(columns=[name + INDICES]):
            if not pa.types.is_list(batch.column(0).type):
                raise InputError(f"{name + INDICES}: not a column of lists; make the table again")
            longest = max(longest, pc.max(pc.list_value_length(batch.column(0))).as_py() or 0)
        return longest
