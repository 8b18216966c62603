"""New items through the trained towers, by picture, by text or by both.

Shape letters: N items, P items with a picture, M items with a text, D embedding, I image feature,
F text features with the sparse part, K classes, L labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from pipeline.core.block import Block, stack_rows
from pipeline.features.classes import item_classes, label_membership
from pipeline.model.description import (
    EMBEDDINGS,
    MODALITIES,
    PROBABILITIES,
    ModelDescription,
)
from pipeline.model.label_paths import path_probabilities
from pipeline.use.network import TowersNetwork


@dataclass(frozen=True)
class Features:
    """What the frozen encoders see of N items, of which each has a picture, a text or both."""

    image_PI: np.ndarray
    """[P, I] features of the items that have a picture, in their order."""
    has_image: np.ndarray
    """[N] bool, which items those are; P are true."""
    text_MF: Block
    """[M, F] features of the items that have a text, in their order."""
    has_text: np.ndarray
    """[N] bool, which items those are; M are true."""
    texts: Sequence[str | None] = ()
    """N texts, None for an item without; nothing where they are not known."""

    def __len__(self) -> int:
        return len(self.has_image)

    def take(self, row_B: np.ndarray) -> Features:
        """Give some of the items, by [B] rows in rising order."""
        chosen_N = np.zeros(len(self), dtype=bool)
        chosen_N[row_B] = True
        return Features(
            self.image_PI[chosen_N[self.has_image]],
            self.has_image[row_B],
            self.text_MF[chosen_N[self.has_text]],
            self.has_text[row_B],
            [self.texts[row] for row in row_B] if self.texts else (),
        )


def join_features(parts: Sequence[Features]) -> Features:
    """Put items behind each other, of at least one part."""
    # Without a text nobody knows whether the features of texts are sparse.
    written = [part.text_MF for part in parts if part.text_MF.shape[0]] or [parts[0].text_MF]
    return Features(
        np.concatenate([part.image_PI for part in parts]),
        np.concatenate([part.has_image for part in parts]),
        stack_rows(written),
        np.concatenate([part.has_text for part in parts]),
        [text for part in parts for text in part.texts],
    )


@dataclass(frozen=True, kw_only=True)
class Embeddings(Features):
    """Points of the universal embedding space, comparable with each other and the catalogue's."""

    image_ND: np.ndarray
    """[N, D] float32, rows of unit norm; a row of NaN where an item has no picture."""
    text_ND: np.ndarray
    """[N, D] float32, rows of unit norm; a row of NaN where an item has no text."""
    fused_ND: np.ndarray
    """[N, D] float32, rows of unit norm: direction of the sum of what there is."""

    @property
    def modalities(self) -> dict[str, np.ndarray]:
        """The three matrices by name: image, text, fused."""
        return {"image": self.image_ND, "text": self.text_ND, "fused": self.fused_ND}


def embed_features(network: TowersNetwork, dimension: int, features: Features) -> Embeddings:
    """Embed items.

    Args:
        network: The trained towers.
        dimension: D.
        features: The items.

    Returns:
        The embeddings, the same as the evaluate stage's for the same features.
    """
    points = {name: np.empty((len(features), dimension), np.float32) for name in MODALITIES}
    for rows, found in _run(network, features, EMBEDDINGS):
        for name, output in zip(MODALITIES, EMBEDDINGS, strict=True):
            points[name][rows] = found[output]
    for name, has_N, other_N in (
        ("image", features.has_image, features.has_text),
        ("text", features.has_text, features.has_image),
    ):
        # An item's only embedding is its fused one too.
        points["fused"][~other_N] = points[name][~other_N]
        points[name][~has_N] = np.nan
    return Embeddings(
        features.image_PI,
        features.has_image,
        features.text_MF,
        features.has_text,
        features.texts,
        **{f"{name}_ND": point_ND for name, point_ND in points.items()},
    )


def class_probabilities(
    network: TowersNetwork, description: ModelDescription, features: Features
) -> np.ndarray:
    """Calibrated probabilities of the classes, from what each item has.

    Where items have several labels, a class is a path that they make up.

    Returns:
        [N, K] float32 with rows that sum to 1, in the order of `item_classes`: the fitted fusion
        for items with a picture and a text, the one modality's prediction for the others.
    """
    membership_KL = label_membership(description.classes)
    shape = (len(features), len(item_classes(description.classes)))
    probability_NK = np.empty(shape, dtype=np.float32)
    for rows, found in _run(network, features, PROBABILITIES):
        label_BL = found["fused_probability"]
        for name, other_N in (("image", features.has_text), ("text", features.has_image)):
            alone_B = ~other_N[rows]
            label_BL[alone_B] = found[f"{name}_probability"][alone_B]
        if membership_KL is not None:
            label_BL = path_probabilities(label_BL, membership_KL)
        probability_NK[rows] = label_BL
    return probability_NK


def _run(
    network: TowersNetwork, features: Features, outputs: Sequence[str]
) -> Iterator[tuple[slice, dict[str, np.ndarray]]]:
    """Which items, and what the network says of them, zeros standing for what an item lacks."""
    start = 0
    image_NI = _spread(features.image_PI, features.has_image)
    for found in network(image_NI, _spread(features.text_MF, features.has_text), outputs):
        stop = start + len(found[outputs[0]])
        yield slice(start, stop), found
        start = stop


def _spread(feature_MF: Block, has_N: np.ndarray) -> Block:
    """Put [M, F] rows where N items have them, and zeros elsewhere."""
    if not isinstance(feature_MF, np.ndarray):
        # Row numbers of the M rows, each repeated by a pointer for the items without.
        pointer = np.concatenate([[0], np.cumsum(has_N)])
        return csr_matrix(
            (feature_MF.data, feature_MF.indices, feature_MF.indptr[pointer]),
            shape=(len(has_N), feature_MF.shape[1]),
        )
    feature_NF = np.zeros((len(has_N), feature_MF.shape[1]), dtype=np.float32)
    feature_NF[has_N] = feature_MF
    return feature_NF
