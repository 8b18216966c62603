"""A tower: stored features -> unit-norm embedding (HUSE section 2).

Shape letters: B batch, F input feature, D embedding.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


class Tower(nn.Module):
    """Fully connected layers with ReLU and dropout between them, then L2 normalisation.

    The last layer is the embedding: no non-linearity and no dropout after it. Features come as the
    backbone made them; the training split's mean and standard deviation are buffers of the tower,
    so a saved tower takes raw features.
    """

    mean_F: Tensor
    std_F: Tensor

    def __init__(self, features: int, *, width: int, layers: int, dim: int, dropout: float) -> None:
        """Create a tower with random weights.

        Args:
            features: F, length of an input vector.
            width: Units of a hidden layer.
            layers: Number of fully connected layers, the embedding layer included.
            dim: D, dimension of the embedding.
            dropout: Share of hidden units dropped in training.
        """
        super().__init__()
        sizes = [features, *[width] * (layers - 1), dim]
        modules: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes[:-1]):
            modules += [nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(dropout)]
        modules.append(nn.Linear(sizes[-2], sizes[-1]))
        self.layers = nn.Sequential(*modules)
        self.register_buffer("mean_F", torch.zeros(features))
        self.register_buffer("std_F", torch.ones(features))

    def standardise(self, feature_NF: Tensor) -> None:
        """Fit the standardisation.

        Args:
            feature_NF: [N, F] features of the training split alone. A constant feature keeps a
                standard deviation of one.
        """
        self.mean_F.copy_(feature_NF.mean(dim=0))
        std_F = feature_NF.std(dim=0, correction=0)
        self.std_F.copy_(torch.where(std_F > 1e-6, std_F, torch.ones_like(std_F)))

    def forward(self, feature_BF: Tensor) -> Tensor:
        """Embed.

        Args:
            feature_BF: [B, F] float, as stored.

        Returns:
            [B, D] float, rows of unit norm.
        """
        return functional.normalize(self.layers((feature_BF - self.mean_F) / self.std_F), dim=1)
