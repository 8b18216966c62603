"""What the text tower takes: one matrix, or a matrix and lists of weighted words.

Shape letters: N texts, M texts chosen, T dense features, L words of the text that has most,
V vocabulary, E features of a block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from pipeline.features.text_matrix import TextArrays, matrix_of, pad_rows


@dataclass(frozen=True)
class MixedText:
    """Text features of which a part is sparse; rows are chosen as those of a tensor are.

    Rows are padded to the length of the longest, so that to choose rows on a GPU asks nothing of
    the processor; 8 L bytes per text instead of 4 V.
    """

    dense_NT: Tensor
    """[N, T] float32; T may be 0."""
    word_NL: Tensor
    """[N, L] int32 columns of the sparse part."""
    weight_NL: Tensor
    """[N, L] float32 values in these columns; 0 where a row has fewer."""
    num_words: int
    """V, columns of the sparse part."""

    def __len__(self) -> int:
        return len(self.dense_NT)

    def __getitem__(self, rows: Tensor | slice) -> MixedText:
        return MixedText(
            self.dense_NT[rows], self.word_NL[rows], self.weight_NL[rows], self.num_words
        )

    @property
    def device(self) -> torch.device:
        """Where the features are."""
        return self.dense_NT.device

    def to(self, device: torch.device) -> MixedText:
        """Move the features to a device."""
        return MixedText(
            self.dense_NT.to(device),
            self.word_NL.to(device),
            self.weight_NL.to(device),
            self.num_words,
        )


TextInput = Tensor | MixedText
"""[N, T] float32 where all blocks are dense."""


def text_input(blocks: Mapping[str, np.ndarray | csr_matrix]) -> TextInput:
    """Put [N, E] blocks of some texts side by side, as the text tower takes them.

    Their order is that in which the model was trained: of `TextFeaturizer.encode` and of the
    columns of the feature table.
    """
    sparse = [block for block in blocks.values() if isinstance(block, csr_matrix)]
    dense = [block for block in blocks.values() if not isinstance(block, csr_matrix)]
    if not sparse:
        return torch.from_numpy(np.concatenate(dense, axis=1))
    num_texts = sparse[0].shape[0]
    dense_NT = np.concatenate([np.empty((num_texts, 0), np.float32), *dense], axis=1)
    offset = 0
    padded = []
    for block in sparse:
        word_NL, weight_NL = pad_rows(block)
        padded.append((torch.from_numpy(word_NL + np.int32(offset)), torch.from_numpy(weight_NL)))
        offset += block.shape[1]
    return MixedText(
        torch.from_numpy(dense_NT),
        torch.cat([word_NL for word_NL, _ in padded], dim=1),
        torch.cat([weight_NL for _, weight_NL in padded], dim=1),
        offset,
    )


def text_sizes(text: TextInput) -> tuple[int, int]:
    """Lengths T and V of the two parts of text features; V is 0 if there is no sparse part."""
    if isinstance(text, MixedText):
        return text.dense_NT.shape[1], text.num_words
    return text.shape[1], 0


def text_matrix(text: TextInput) -> np.ndarray | csr_matrix:
    """[N, T] features as other libraries take them; sparse [N, T + V] if there is a sparse part."""
    if not isinstance(text, MixedText):
        return text.cpu().numpy()
    parts = (text.dense_NT, text.word_NL, text.weight_NL)
    return matrix_of(TextArrays(*(part.cpu().numpy() for part in parts)), text.num_words)


def join(parts: Sequence[TextInput]) -> TextInput:
    """Put the rows of several inputs of one model below each other; at least one."""
    mixed = [part for part in parts if isinstance(part, MixedText)]
    if not mixed:
        return torch.cat([part for part in parts if isinstance(part, Tensor)])
    return MixedText(
        torch.cat([part.dense_NT for part in mixed]),
        torch.cat([part.word_NL for part in mixed]),
        torch.cat([part.weight_NL for part in mixed]),
        mixed[0].num_words,
    )


def put(buffer: TextInput, start: int, text: TextInput) -> None:
    """Copy features of one table into a buffer from `TextRows.empty`, from row `start` on."""
    rows = slice(start, start + len(text))
    if isinstance(buffer, MixedText):
        assert isinstance(text, MixedText), "both are of one table"
        buffer.dense_NT[rows] = text.dense_NT.to(buffer.device)
        buffer.word_NL[rows] = text.word_NL.to(buffer.device)
        buffer.weight_NL[rows] = text.weight_NL.to(buffer.device)
    else:
        assert not isinstance(text, MixedText), "both are of one table"
        buffer[rows] = text.to(buffer.device)
