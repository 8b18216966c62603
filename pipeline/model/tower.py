"""One tower: from stored features to an embedding of unit norm (HUSE section 2).

Shape letters: B batch, N items, D embedding, F features, T dense text features, H units of the
first layer, V vocabulary, L words of the text that has most.
"""

import warnings
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.features.text_input import MixedText, RaggedText, StoredText, TextInput

SPARSE_NORM = 20.0
"""Norm to which a row of a sparse part is scaled: that of a standardised dense block of 400.

An optimizer such as AdamW moves every weight by about the learning rate, so what a step changes in
the first layer grows with the size of the input. Rows of unit norm would train twenty times slower
than a dense block.
"""


class Tower(nn.Module):
    """Fully connected layers with ReLU and dropout between them, then L2 normalisation.

    The last layer is the embedding: no non-linearity and no dropout after it. Features come as the
    backbone made them; the training split's mean and standard deviation are buffers of the tower,
    so a saved tower takes raw features.

    Dropout on the standardised inputs is the strongest regulariser that we found for frozen
    features, which have far more dimensions than a small catalogue has items. A residual path adds
    W x to the embedding before it is normalised.

    A sparse part of V columns enters the first layer through a matrix of its own, of which a text
    reads the rows of its words alone. It is scaled, not centred, or it would be dense.
    """

    mean_F: Tensor
    std_F: Tensor
    word_scale: Tensor

    def __init__(
        self,
        features: int,
        *,
        width: int,
        layers: int,
        dim: int,
        dropout: float,
        words: int = 0,
        residual: bool = False,
        input_dropout: float = 0.0,
    ) -> None:
        """Create a tower with random weights.

        Args:
            features: F, length of an input vector, without a sparse part.
            width: Units of a hidden layer.
            layers: Number of fully connected layers, the embedding layer included.
            dim: D, dimension of the embedding.
            dropout: Share of hidden units dropped in training.
            words: V, columns of the sparse part; 0 for none.
            residual: Whether there is a linear path beside the layers; with one layer there is
                none, as that is linear.
            input_dropout: Share of the inputs dropped in training.
        """
        super().__init__()
        self.input_dropout = nn.Dropout(input_dropout) if input_dropout > 0 else nn.Identity()
        sizes = [features, *[width] * (layers - 1), dim]
        modules: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes[:-1]):
            modules += [_linear(inputs, outputs), nn.ReLU(), nn.Dropout(dropout)]
        modules.append(_linear(sizes[-2], sizes[-1]))
        self.layers = nn.Sequential(*modules)
        self.register_buffer("mean_F", torch.zeros(features))
        self.register_buffer("std_F", torch.ones(features))
        self.residual = residual and layers > 1
        if self.residual:
            self.skip = _linear(features, dim, bias=False)
        if words:
            self.words = _word_matrix(words, sizes[1])
            if self.residual:
                self.skip_words = _word_matrix(words, dim)
            self.register_buffer("word_scale", torch.ones(()))

    def standardise(self, feature_NF: StoredText) -> None:
        """Fit the standardisation to [N, F] features of the training split alone."""
        norm = None
        if isinstance(feature_NF, RaggedText):
            norm = feature_NF.square_norm().sqrt()
            feature_NF = feature_NF.dense_NT
        mean_F = feature_NF.mean(dim=0)
        # torch warns of a deviation without any feature, as where all of a text is sparse.
        std_F = feature_NF.std(dim=0, correction=0) if len(mean_F) else mean_F
        self.standardise_by(mean_F, std_F, norm)

    def standardise_by(self, mean_F: Tensor, std_F: Tensor, norm: Tensor | None = None) -> None:
        """Set the standardisation to the moments of the training split.

        Args:
            mean_F: [F] float.
            std_F: [F] float; a constant feature gets a standard deviation of one.
            norm: Root of the mean square norm of a sparse part; None where there is none.
        """
        self.mean_F.copy_(mean_F)
        self.std_F.copy_(torch.where(std_F > 1e-6, std_F, torch.ones_like(std_F)))
        if norm is not None:
            self.word_scale.copy_(SPARSE_NORM / norm if norm > 0 else torch.ones_like(norm))

    def forward(self, feature_BF: TextInput) -> Tensor:
        """Embed [B, F] features, as stored: [B, D], rows of unit norm."""
        dense_BT = feature_BF.dense_NT if isinstance(feature_BF, MixedText) else feature_BF
        input_BT = self.input_dropout((dense_BT - self.mean_F) / self.std_F)
        embedding_BD = self.layers[0](input_BT)
        if isinstance(feature_BF, MixedText):
            # A word of weight zero is not read: to drop a word is to drop a column.
            weight_BL = self.input_dropout(feature_BF.weight_NL * self.word_scale)
            embedding_BD = embedding_BD + _word_sum(self.words, feature_BF.word_NL, weight_BL)
        embedding_BD = self.layers[1:](embedding_BD)
        if self.residual:
            embedding_BD = embedding_BD + self.skip(input_BT)
            if isinstance(feature_BF, MixedText):
                skipped_BD = _word_sum(self.skip_words, feature_BF.word_NL, weight_BL)
                embedding_BD = embedding_BD + skipped_BD
        return functional.normalize(embedding_BD, dim=1)


def _linear(inputs: int, outputs: int, *, bias: bool = True) -> nn.Linear:
    """A layer without torch's warning where all of its input is sparse."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Initializing zero-element tensors")
        return nn.Linear(inputs, outputs, bias=bias)


def _word_sum(matrix: nn.EmbeddingBag, word_BL: Tensor, weight_BL: Tensor) -> Tensor:
    """Add up the rows of each text's words, [B, H]."""
    if torch.onnx.is_in_onnx_export():  # ONNX has no such operation, but those that it is made of
        row_BLH = functional.embedding(word_BL, matrix.weight)
        return (row_BLH * weight_BL[:, :, None]).sum(dim=1)
    return matrix(word_BL, per_sample_weights=weight_BL)


def _word_matrix(words: int, outputs: int) -> nn.EmbeddingBag:
    """The part of a layer that reads the sparse input."""
    matrix = nn.EmbeddingBag(words, outputs, mode="sum")
    # A row of norm SPARSE_NORM then gives units the variance 1/3, which is what nn.Linear gives
    # them for standardised features.
    bound = 1.0 / SPARSE_NORM
    nn.init.uniform_(matrix.weight, -bound, bound)
    return matrix
