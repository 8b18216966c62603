"""HUSE: an image tower, a text tower and one classifier shared by both (HUSE section 2).

Shape letters: B batch, N items, D embedding, K classes, I image feature, T text feature, F either,
H units of the first layer, V vocabulary.
"""

import warnings
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.features.text_input import MixedText, TextInput

INITIAL_LOGIT_SCALE = 16.0
"""Logits of unit vectors need a factor of this order before a softmax over dozens of classes can
be confident; the scale is learned from here."""

SPARSE_NORM = 20.0
"""Norm to which a row of a sparse part is scaled: that of a standardised dense block of 400.

An optimizer such as AdamW moves every weight by about the learning rate, so what a step changes in
the first layer grows with the size of the input. Rows of unit norm would train twenty times slower
than a dense block.
"""


@dataclass(frozen=True, kw_only=True)
class TowersConfig:
    """Everything needed to build the modules; saved beside the weights."""

    image_features: int
    """I, length of an image feature vector."""
    text_features: int
    """T, length of the dense part of a text's features."""
    num_classes: int
    """K."""
    dim: int
    """D, dimension of the universal embedding."""
    image_layers: int
    text_layers: int
    width: int
    dropout: float
    logit_scale: str
    """`none` (the paper) or `learned`."""
    classifier: str
    """`shared` (the paper), `per_modality`, or `probe`: shared, on detached embeddings."""
    fusion: str
    """`late` (the paper), `product`, or `concat` (the notebooks); see `Fusion`."""
    text_words: int = 0
    """V, columns of the sparse part of a text's features; 0 for none."""
    residual: bool = False
    """Whether each tower of several layers has a linear path beside them."""
    input_dropout: float = 0.0
    """Share of the inputs of either tower dropped in training."""


class NameBatch(NamedTuple):
    """Names of M classes, as texts of items that have no picture."""

    text_MT: TextInput
    """[M, T] float32 text features of the names."""
    class_M: Tensor
    """[M] int64 class that each name belongs to."""


class TowersOutput(NamedTuple):
    """What a forward pass gives."""

    image_BD: Tensor
    """[B, D] image embeddings of unit norm."""
    text_BD: Tensor
    """[B, D] text embeddings of unit norm."""
    image_logits_BK: Tensor
    """[B, K] classifier on the image embeddings."""
    text_logits_BK: Tensor
    """[B, K] classifier on the text embeddings."""
    fused_logits_BK: Tensor | None
    """[B, K] one classifier on both embeddings; None where two predictions are fused."""
    name_logits_MK: Tensor | None = None
    """[M, K] classifier on the text embeddings of M class names; None where none were asked."""
    name_class_M: Tensor | None = None
    """[M] int64 class that each name belongs to."""


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
        self.input_dropout = nn.Dropout(input_dropout)
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

    def standardise(self, feature_NF: TextInput) -> None:
        """Fit the standardisation to [N, F] features of the training split alone."""
        norm = None
        if isinstance(feature_NF, MixedText):
            norm = feature_NF.weight_NL.square().sum(dim=1).mean().sqrt()
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
            words = {"input": feature_BF.word_NL, "per_sample_weights": weight_BL}
            embedding_BD = embedding_BD + self.words(**words)
        embedding_BD = self.layers[1:](embedding_BD)
        if self.residual:
            embedding_BD = embedding_BD + self.skip(input_BT)
            if isinstance(feature_BF, MixedText):
                embedding_BD = embedding_BD + self.skip_words(**words)
        return functional.normalize(embedding_BD, dim=1)


class Towers(nn.Module):
    """The two towers and the classifier chi.

    Late fusion and product: chi is one linear layer D -> K, applied to either embedding with the
    same weights (or one layer per modality for the rivals that have it so).

    Concatenation: one linear layer 2D -> K on both embeddings side by side. It is kept as two
    layers D -> K that share a bias, whose logits add up to the fused ones; so an item with one
    modality can still be classified, as if the other's embedding were zero.
    """

    def __init__(self, config: TowersConfig) -> None:
        """Create the modules with random weights."""
        super().__init__()
        self.config = config
        build = partial(
            Tower,
            width=config.width,
            dim=config.dim,
            dropout=config.dropout,
            residual=config.residual,
            input_dropout=config.input_dropout,
        )
        self.image_tower = build(config.image_features, layers=config.image_layers)
        self.text_tower = build(
            config.text_features, layers=config.text_layers, words=config.text_words
        )
        concatenates = config.fusion == "concat"
        shared = not concatenates and config.classifier != "per_modality"
        self.classifiers = nn.ModuleList(
            nn.Linear(config.dim, config.num_classes, bias=not concatenates)
            for _ in range(1 if shared else 2)
        )
        if concatenates:
            self.bias_K = nn.Parameter(torch.zeros(config.num_classes))
        if config.logit_scale == "learned":
            # Departure from the paper: |logit| <= |w| for a unit-norm embedding, so a plain linear
            # layer must grow its weights before the softmax can become confident.
            self.log_scale = nn.Parameter(torch.tensor(INITIAL_LOGIT_SCALE).log())

    def standardise(self, image_NI: Tensor, text_NT: TextInput) -> None:
        """Fit both towers' standardisation to the features of the training split alone."""
        self.image_tower.standardise(image_NI)
        self.text_tower.standardise(text_NT)

    def forward(
        self, image_BI: Tensor, text_BT: TextInput, names: NameBatch | None = None
    ) -> TowersOutput:
        """Embed and classify items by their stored features, and names of classes if given."""
        output = self.classify(self.image_tower(image_BI), self.text_tower(text_BT))
        if names is None:
            return output
        name_MK = self._logits(self.text_tower(names.text_MT), self.classifiers[-1])
        if self.config.fusion == "concat":
            name_MK = name_MK + self.bias_K
        return output._replace(name_logits_MK=name_MK, name_class_M=names.class_M)

    def classify(self, image_BD: Tensor, text_BD: Tensor) -> TowersOutput:
        """Classify embedded items: the embeddings as given, with the logits of both modalities."""
        image_BK = self._logits(image_BD, self.classifiers[0])
        text_BK = self._logits(text_BD, self.classifiers[-1])
        if self.config.fusion != "concat":
            return TowersOutput(image_BD, text_BD, image_BK, text_BK, None)
        bias_K = self.bias_K
        return TowersOutput(
            image_BD, text_BD, image_BK + bias_K, text_BK + bias_K, image_BK + text_BK + bias_K
        )

    def _logits(self, embedding_BD: Tensor, classifier: nn.Module) -> Tensor:
        if self.config.classifier == "probe":
            embedding_BD = embedding_BD.detach()
        logits_BK = classifier(embedding_BD)
        return logits_BK * self.log_scale.exp() if hasattr(self, "log_scale") else logits_BK


def _linear(inputs: int, outputs: int, *, bias: bool = True) -> nn.Linear:
    """A layer without torch's warning where all of its input is sparse."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Initializing zero-element tensors")
        return nn.Linear(inputs, outputs, bias=bias)


def _word_matrix(words: int, outputs: int) -> nn.EmbeddingBag:
    """The part of a layer that reads the sparse input."""
    matrix = nn.EmbeddingBag(words, outputs, mode="sum")
    # A row of norm SPARSE_NORM then gives units the variance 1/3, which is what nn.Linear gives
    # them for standardised features.
    bound = 1.0 / SPARSE_NORM
    nn.init.uniform_(matrix.weight, -bound, bound)
    return matrix
