"""Text features in memory, and what the text tower takes of them.

Shape letters: N texts, M texts chosen, T dense features, P words of all texts, L words of the text
that has most, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor
from torch.nn.functional import pad


@dataclass(frozen=True)
class MixedText:
    """Features of a batch of texts of which a part is sparse, as the text tower takes them."""

    dense_NT: Tensor
    """[N, T] float32; T may be 0."""
    word_NL: Tensor
    """[N, L] int32 columns of the sparse part."""
    weight_NL: Tensor
    """[N, L] float32 values in these columns; 0 where a row has fewer."""

    def __len__(self) -> int:
        return len(self.dense_NT)

    def __getitem__(self, rows: Tensor | slice) -> MixedText:
        return MixedText(self.dense_NT[rows], self.word_NL[rows], self.weight_NL[rows])

    @property
    def device(self) -> torch.device:
        """Where the features are."""
        return self.dense_NT.device


@dataclass(frozen=True)
class RaggedText:
    """Features of many texts of which a part is sparse: a text takes as much as it has words.

    One description of two thousand words among short titles would otherwise pad them all. Rows
    that are chosen as those of a tensor are a batch, padded to its own longest.
    """

    dense_NT: Tensor
    """[N, T] float32; T may be 0."""
    first_N: Tensor
    """[N] int64: where a text's words begin."""
    length_N: Tensor
    """[N] int64: how many it has."""
    word_P: Tensor
    """[P] int32 columns of the sparse part."""
    weight_P: Tensor
    """[P] float32 values in these columns."""
    num_words: int
    """V, columns of the sparse part."""

    def __len__(self) -> int:
        return len(self.dense_NT)

    def __getitem__(self, rows: Tensor | slice) -> MixedText:
        length_M = self.length_N[rows]
        # A GPU is waited for here: how wide the batch is, its own lengths say.
        longest = int(length_M.max()) if len(length_M) else 0
        column_L = torch.arange(longest, device=self.device)
        filled_ML = column_L < length_M[:, None]
        # Any place will do for a word that is not there.
        place_ML = torch.where(filled_ML, self.first_N[rows][:, None] + column_L, 0)
        return MixedText(
            self.dense_NT[rows],
            torch.where(filled_ML, self.word_P[place_ML], 0),
            torch.where(filled_ML, self.weight_P[place_ML], 0.0),
        )

    @property
    def device(self) -> torch.device:
        """Where the features are."""
        return self.dense_NT.device

    def take(self, rows: Tensor | slice) -> RaggedText:
        """Choose rows and leave them ragged; the words are shared."""
        return replace(
            self,
            dense_NT=self.dense_NT[rows],
            first_N=self.first_N[rows],
            length_N=self.length_N[rows],
        )

    def square_norm(self) -> Tensor:
        """Mean over the texts of the sparse part's squared norm."""
        row_P = torch.repeat_interleave(self.length_N)
        start_N = self.first_N - (self.length_N.cumsum(0) - self.length_N)
        place_P = torch.arange(len(row_P), device=self.device) + start_N[row_P]
        return self.weight_P[place_P].square().sum() / len(self)

    def to(self, device: torch.device) -> RaggedText:
        """Move the features to a device."""
        return RaggedText(
            self.dense_NT.to(device),
            self.first_N.to(device),
            self.length_N.to(device),
            self.word_P.to(device),
            self.weight_P.to(device),
            self.num_words,
        )


TextInput = Tensor | MixedText
"""Of a batch, as the text tower takes it; [N, T] float32 where all blocks are dense."""
StoredText = Tensor | RaggedText
"""Of many texts; likewise. Its rows are a `TextInput`."""


def stored_text(dense_NT: np.ndarray, words_NV: csr_matrix | None) -> StoredText:
    """Put the dense and the sparse part of text features together; None: there is no sparse part.

    The arrays are shared.
    """
    dense = torch.from_numpy(dense_NT)
    if words_NV is None:
        return dense
    pointer = torch.from_numpy(words_NV.indptr.astype(np.int64))
    return RaggedText(
        dense,
        pointer[:-1],
        pointer.diff(),
        torch.from_numpy(words_NV.indices.astype(np.int32, copy=False)),
        torch.from_numpy(words_NV.data.astype(np.float32, copy=False)),
        words_NV.shape[1],
    )


def empty_text(
    texts: int, features: int, words: int, columns: int, device: torch.device
) -> StoredText:
    """Make room: for N texts of T dense features, and for P words of V columns, 0 for none."""
    dense_NT = torch.zeros(texts, features, device=device)
    if not columns:
        return dense_NT
    none_N = torch.zeros(texts, dtype=torch.int64, device=device)
    return RaggedText(
        dense_NT,
        none_N,
        none_N.clone(),
        torch.zeros(words, dtype=torch.int32, device=device),
        torch.zeros(words, device=device),
        columns,
    )


def put(buffer: StoredText, text: StoredText, *, row: int, word: int) -> None:
    """Copy features as they were read into an `empty_text`.

    Args:
        buffer: Where to.
        text: Features of one table.
        row: The buffer's row for the first of them.
        word: Where in the buffer its words begin.
    """
    rows = slice(row, row + len(text))
    if isinstance(buffer, RaggedText):
        assert isinstance(text, RaggedText), "both are of one table"
        words = slice(word, word + len(text.word_P))
        buffer.dense_NT[rows] = text.dense_NT.to(buffer.device)
        buffer.first_N[rows] = word + text.first_N.to(buffer.device)
        buffer.length_N[rows] = text.length_N.to(buffer.device)
        buffer.word_P[words] = text.word_P.to(buffer.device)
        buffer.weight_P[words] = text.weight_P.to(buffer.device)
    else:
        assert not isinstance(text, RaggedText), "both are of one table"
        buffer[rows] = text.to(buffer.device)


def take(text: StoredText, rows: Tensor | slice) -> StoredText:
    """Choose rows of features that stay in memory."""
    return text.take(rows) if isinstance(text, RaggedText) else text[rows]


def text_sizes(text: StoredText) -> tuple[int, int]:
    """Lengths T and V of the two parts of text features; V is 0 if there is no sparse part."""
    if isinstance(text, RaggedText):
        return text.dense_NT.shape[1], text.num_words
    return text.shape[1], 0


def join(parts: Sequence[TextInput]) -> TextInput:
    """Put the rows of several batches of one model below each other; at least one."""
    mixed = [part for part in parts if isinstance(part, MixedText)]
    if not mixed:
        return torch.cat([part for part in parts if isinstance(part, Tensor)])
    longest = max(part.word_NL.shape[1] for part in mixed)

    def widened(part_NL: Tensor) -> Tensor:
        return pad(part_NL, (0, longest - part_NL.shape[1]))

    return MixedText(
        torch.cat([part.dense_NT for part in mixed]),
        torch.cat([widened(part.word_NL) for part in mixed]),
        torch.cat([widened(part.weight_NL) for part in mixed]),
    )
