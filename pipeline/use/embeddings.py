"""New items through the trained towers, by picture, by text or by both.

Shape letters: N items, P items with a picture, M items with a text, D embedding, I image feature,
T text feature, K classes, L labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from pipeline.features.classes import item_classes
from pipeline.features.text_input import TextInput
from pipeline.model.embed import embed, predict
from pipeline.model.model_file import StoredModel


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
    texts: Sequence[str | None] = ()
    """N texts, None for an item without; nothing where they are not known."""

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
    has = (np.array(has_N, dtype=bool) for has_N in (has_image_N, has_text_N))
    points = embed(stored.model, torch.from_numpy(image_PI), text_MT, *has)
    image_ND, text_ND, fused_ND = (point_ND.numpy() for point_ND in points.values())
    return Embeddings(image_ND, text_ND, fused_ND, image_PI, text_MT)


def class_probabilities(stored: StoredModel, embeddings: Embeddings) -> np.ndarray:
    """Calibrated probabilities of the classes, from what each item has.

    Where items have several labels, a class is a path that they make up.

    Returns:
        [N, K] float32 with rows that sum to 1, in the order of `item_classes`: the fitted fusion
        for items with a picture and a text, the one modality's prediction for the others.
    """
    points = (torch.from_numpy(one) for one in (embeddings.image_ND, embeddings.text_ND))
    shape = (len(embeddings), len(item_classes(stored.classes)))
    probability_NK = np.empty(shape, dtype=np.float32)
    for rows, found in predict(stored, *points):
        block_BK = probability_NK[rows]
        block_BK[:] = found["fused"].class_BK.numpy()
        for modality, other_N in (("image", embeddings.has_text), ("text", embeddings.has_image)):
            alone_B = ~other_N[rows]
            block_BK[alone_B] = found[modality].class_BK.numpy()[alone_B]
    return probability_NK
