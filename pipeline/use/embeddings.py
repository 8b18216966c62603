"""New items through the trained towers, by picture, by text or by both.

Shape letters: N items, P items with a picture, M items with a text, D embedding, I image feature,
T text feature, K classes, L labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from pipeline.features.classes import label_membership
from pipeline.features.text_input import TextInput
from pipeline.model.fusion import path_probabilities
from pipeline.model.model_file import StoredModel
from pipeline.model.towers import Tower

CHUNK = 8192
"""Items per forward pass: bounds the hidden activations, not the result."""


@dataclass(frozen=True)
class Embeddings:
    """Points of the universal embedding space, comparable with each other and the catalogue's."""

    image_ND: np.ndarray
    """[N, D] float32, rows of unit norm; a row of NaN where an item has no picture."""
    text_ND: np.ndarray
    """[N, D] float32, rows of unit norm; a row of NaN where an item has no text."""
    fused_ND: np.ndarray
    """[N, D] float32, rows of unit norm: direction of the sum of what there is."""
    image_PI: np.ndarray
    """[P, I] features that the image embeddings were made from, of the items with a picture."""
    text_MT: TextInput
    """[M, T] features that the text embeddings were made from, of the items with a text."""

    def __len__(self) -> int:
        return len(self.fused_ND)

    @property
    def has_image(self) -> np.ndarray:
        """[N] bool."""
        return ~np.isnan(self.image_ND[:, 0])

    @property
    def has_text(self) -> np.ndarray:
        """[N] bool."""
        return ~np.isnan(self.text_ND[:, 0])

    @property
    def modalities(self) -> dict[str, np.ndarray]:
        """The three matrices by name: image, text, fused."""
        return {"image": self.image_ND, "text": self.text_ND, "fused": self.fused_ND}


def embed_features(
    stored: StoredModel,
    image_PI: np.ndarray,
    has_image_N: Sequence[bool],
    text_MT: TextInput,
    has_text_N: Sequence[bool],
) -> Embeddings:
    """Embed items of which each has a picture, a text or both.

    Args:
        stored: The trained model.
        image_PI: [P, I] features of the items that have a picture, in their order.
        has_image_N: Which items those are; P are true.
        text_MT: [M, T] features, perhaps with a sparse part, of the items that have a text, in
            their order.
        has_text_N: Which items those are; M are true.

    Returns:
        The embeddings, the same as the evaluate stage's for the same features.
    """
    model = stored.model
    shape = (len(has_image_N), model.config.dim)
    image_ND, text_ND = (torch.full(shape, torch.nan) for _ in range(2))
    with torch.inference_mode():
        sides: list[tuple[torch.Tensor, Sequence[bool], Tower, TextInput]] = [
            (image_ND, has_image_N, model.image_tower, torch.from_numpy(image_PI)),
            (text_ND, has_text_N, model.text_tower, text_MT),
        ]
        for embedding_ND, has_N, tower, feature in sides:
            rows = np.flatnonzero(np.asarray(has_N))
            for start in range(0, len(rows), CHUNK):
                part = slice(start, start + CHUNK)
                embedding_ND[rows[part]] = tower(feature[part])
        fused_ND = functional.normalize(image_ND.nan_to_num() + text_ND.nan_to_num(), dim=1)
    return Embeddings(image_ND.numpy(), text_ND.numpy(), fused_ND.numpy(), image_PI, text_MT)


def class_probabilities(stored: StoredModel, embeddings: Embeddings) -> np.ndarray:
    """Calibrated probabilities of the classes, from what each item has.

    Where items have several labels, a class is a path that they make up.

    Args:
        stored: The trained model.
        embeddings: N items.

    Returns:
        [N, K] float32 with rows that sum to 1, in the order of `item_classes`: the fitted fusion
        for items with a picture and a text, the one modality's prediction for the others.
    """
    image_ND, text_ND = (
        torch.from_numpy(np.nan_to_num(matrix))
        for matrix in (embeddings.image_ND, embeddings.text_ND)
    )
    with torch.inference_mode():
        by_modality = stored.fusion.probabilities(stored.model.classify(image_ND, text_ND))
    membership = label_membership(stored.classes)
    if membership is not None:
        membership_KL = torch.from_numpy(membership)
        by_modality = {
            name: path_probabilities(probability_NL, membership_KL)
            for name, probability_NL in by_modality.items()
        }
    probability_NK = by_modality["fused"].numpy().copy()
    image_alone_N, text_alone_N = ~embeddings.has_text, ~embeddings.has_image
    probability_NK[image_alone_N] = by_modality["image"].numpy()[image_alone_N]
    probability_NK[text_alone_N] = by_modality["text"].numpy()[text_alone_N]
    return probability_NK
