"""A tower: stored features -> unit-norm embedding (HUSE section 2).

Shape letters: B batch, N rows, F input feature, H units of the first layer, L words of a text,
V vocabulary, D embedding.
"""

import warnings
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.features.text_input import MixedText, TextInput

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

    A sparse part of V columns enters the first layer through a matrix of its own, of which a text
    reads the rows of its words alone. It is scaled, not centred, or it would be dense.
    """

    mean_F: Tensor
    std_F: Tensor
    word_scale: Tensor

    def __init__(
        self, features: int, *, width: int, layers: int, dim: int, dropout: float, words: int = 0
    ) -> None:
        """Create a tower with random weights.

        Args:
            features: F, length of an input vector, without a sparse part.
            width: Units of a hidden layer.
            layers: Number of fully connected layers, the embedding layer included.
            dim: D, dimension of the embedding.
            dropout: Share of hidden units dropped in training.
            words: V, columns of the sparse part; 0 for none.
        """
        super().__init__()
        sizes = [features, *[width] * (layers - 1), dim]
        modules: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes[:-1]):
            modules += [_linear(inputs, outputs), nn.ReLU(), nn.Dropout(dropout)]
        modules.append(_linear(sizes[-2], sizes[-1]))
        self.layers = nn.Sequential(*modules)
        self.register_buffer("mean_F", torch.zeros(features))
        self.register_buffer("std_F", torch.ones(features))
        if words:
            self.words = nn.EmbeddingBag(words, sizes[1], mode="sum")
            # A row of norm SPARSE_NORM then gives units the variance 1/3, which is what nn.Linear
            # gives them for standardised features.
            bound = 1.0 / SPARSE_NORM
            nn.init.uniform_(self.words.weight, -bound, bound)
            self.register_buffer("word_scale", torch.ones(()))

    def standardise(self, feature_NF: TextInput) -> None:
        """Fit the standardisation.

        Args:
            feature_NF: [N, F] features of the training split alone, perhaps with a sparse part. A
                constant feature keeps a standard deviation of one.
        """
        if isinstance(feature_NF, MixedText):
            square_N = feature_NF.weight_NL.square().sum(dim=1)
            norm = square_N.mean().sqrt()
            self.word_scale.copy_(SPARSE_NORM / norm if norm > 0 else torch.ones_like(norm))
            feature_NF = feature_NF.dense_NT
            if not feature_NF.shape[1]:
                return
        self.mean_F.copy_(feature_NF.mean(dim=0))
        std_F = feature_NF.std(dim=0, correction=0)
        self.std_F.copy_(torch.where(std_F > 1e-6, std_F, torch.ones_like(std_F)))

    def forward(self, feature_BF: TextInput) -> Tensor:
        """Embed.

        Args:
            feature_BF: [B, F] float, as stored, perhaps with a sparse part.

        Returns:
            [B, D] float, rows of unit norm.
        """
        if not isinstance(feature_BF, MixedText):
            standard_BF = (feature_BF - self.mean_F) / self.std_F
            return functional.normalize(self.layers(standard_BF), dim=1)
        first_BH = self.layers[0]((feature_BF.dense_NT - self.mean_F) / self.std_F)
        first_BH = first_BH + self.words(
            feature_BF.word_NL, per_sample_weights=feature_BF.weight_NL * self.word_scale
        )
        return functional.normalize(self.layers[1:](first_BH), dim=1)


def _linear(inputs: int, outputs: int) -> nn.Linear:
    """A layer without torch's warning where all of its input is sparse."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Initializing zero-element tensors")
        return nn.Linear(inputs, outputs)
