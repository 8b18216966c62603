"""HUSE: an image tower, a text tower and one classifier shared by both (HUSE section 2).

Shape letters: B batch, N items, D embedding, K classes, M class names, I image feature, T text
feature, V vocabulary.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pipeline.features.present import Present
from pipeline.features.text_input import StoredText, TextInput
from pipeline.model.tower import Tower

INITIAL_LOGIT_SCALE = 16.0
"""Logits of unit vectors need a factor of this order before a softmax over dozens of classes can
be confident; the scale is learned from here."""


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
    present: Present | None = None
    """What each item has, an embedding of zeros standing for what it lacks; None where all have
    both."""


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

    def standardise(self, image_NI: Tensor, text_NT: StoredText) -> None:
        """Fit both towers' standardisation to the features of the training split alone."""
        self.image_tower.standardise(image_NI)
        self.text_tower.standardise(text_NT)

    def forward(
        self,
        image_BI: Tensor,
        text_BT: TextInput,
        names: NameBatch | None = None,
        present: Present | None = None,
    ) -> TowersOutput:
        """Embed and classify items by their stored features, and names of classes if given."""
        image_BD, text_BD = self.image_tower(image_BI), self.text_tower(text_BT)
        if present is not None:
            image_BD = image_BD * present.image_N[:, None]
            text_BD = text_BD * present.text_N[:, None]
        output = self.classify(image_BD, text_BD)._replace(present=present)
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
