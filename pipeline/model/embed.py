"""Stored features -> points of the space -> class probabilities: the one way through the model.

Shape letters: N items, P items with a picture, M items with a text, B items of a block,
D embedding, I image feature, T text feature, K classes, L labels.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pipeline.features.classes import label_membership
from pipeline.features.pairs import Pairs
from pipeline.features.present import Present
from pipeline.features.text_input import MixedText, StoredText, take
from pipeline.model.description import MODALITIES
from pipeline.model.label_paths import path_probabilities
from pipeline.model.model_file import StoredModel
from pipeline.model.towers import Towers

CHUNK = 8192
"""Items per forward pass: bounds the hidden activations, not the result."""
CHUNK_LOGITS = 2**24
"""Logits per block and modality, 64 MiB, where there are more than two thousand classes."""


class Probabilities(NamedTuple):
    """What one modality says of B items, calibrated."""

    label_BL: Tensor
    """[B, L] of what the classifier knows: labels of which an item may have several, or classes."""
    class_BK: Tensor
    """[B, K] of the classes of which an item has exactly one; rows sum to 1."""


def fuse(image_ND: Tensor, text_ND: Tensor) -> Tensor:
    """Direction of the sum: the bisector of two unit vectors."""
    return functional.normalize(image_ND + text_ND, dim=1)


def embed(
    model: Towers,
    image_PI: Tensor,
    text_MT: StoredText | MixedText,
    has_image_N: np.ndarray | None = None,
    has_text_N: np.ndarray | None = None,
) -> dict[str, Tensor]:
    """Embed items of which each has a picture, a text or both.

    Args:
        model: In evaluation mode, on the device of the features.
        image_PI: [P, I] features of the items that have a picture, in their order.
        text_MT: [M, T] features, perhaps with a sparse part, of the items that have a text.
        has_image_N: [N] bool, of which P are true; None if all items have a picture.
        has_text_N: [N] bool, of which M are true; None if all items have a text.

    Returns:
        [N, D] by modality, rows of unit norm: image and text, with rows of NaN for what an item
        lacks, and fused, of what there is.
    """
    has_image_N = np.ones(len(image_PI), bool) if has_image_N is None else has_image_N
    has_text_N = np.ones(len(text_MT), bool) if has_text_N is None else has_text_N
    points = []
    with torch.inference_mode():
        for tower, feature, has_N in (
            (model.image_tower, image_PI, has_image_N),
            (model.text_tower, text_MT, has_text_N),
        ):
            row = torch.from_numpy(np.flatnonzero(has_N))
            point_ND = torch.zeros(len(has_N), model.config.dim, device=feature.device)
            for start in range(0, len(row), CHUNK):
                part = slice(start, start + CHUNK)
                point_ND[row[part]] = tower(feature[part])
            points.append(point_ND)
        # What an item lacks adds nothing, so only now is it marked as missing.
        fused_ND = fuse(*points)
        for point_ND, has_N in zip(points, (has_image_N, has_text_N), strict=True):
            point_ND[torch.from_numpy(~has_N)] = torch.nan
    return dict(zip(MODALITIES, (*points, fused_ND), strict=True))


def embed_pairs(model: Towers, pairs: Pairs) -> dict[str, Tensor]:
    """Embed stored items; see `embed`."""
    if pairs.present is None:
        return embed(model, pairs.image_NI, pairs.text_NT)
    has_image_N, has_text_N = pairs.present
    return embed(
        model,
        pairs.image_NI[has_image_N],
        take(pairs.text_NT, has_text_N.nonzero()[:, 0]),
        has_image_N.cpu().numpy(),
        has_text_N.cpu().numpy(),
    )


def asked_of(points: dict[str, Tensor]) -> dict[str, np.ndarray]:
    """[N] bool by modality: which embedded items it says something of; `fused`: that have both."""
    has = {name: ~points[name][:, 0].isnan().cpu().numpy() for name in MODALITIES[:2]}
    return {**has, MODALITIES[2]: has["image"] & has["text"]}


def predict(
    stored: StoredModel, image_ND: Tensor, text_ND: Tensor
) -> Iterator[tuple[slice, dict[str, Probabilities]]]:
    """Classify embedded items, as many at a time as their logits allow.

    Args:
        stored: The trained model.
        image_ND: [N, D] image embeddings; a row of NaN for an item without.
        text_ND: [N, D] text embeddings, likewise.

    Yields:
        Which items, and their probabilities by modality; at least one block, if only an empty one.
        Those by both of an item that has one are by this one.
    """
    membership_KL = label_membership(stored.classes)
    size = min(CHUNK, max(1, CHUNK_LOGITS // stored.model.config.num_classes))
    for start in range(0, max(len(image_ND), 1), size):
        rows = slice(start, start + size)
        with torch.inference_mode():
            image_BD, text_BD = image_ND[rows], text_ND[rows]
            lacks_image_B, lacks_text_B = image_BD[:, 0].isnan(), text_BD[:, 0].isnan()
            output = stored.model.classify(image_BD.nan_to_num(), text_BD.nan_to_num())
            if lacks_image_B.any() or lacks_text_B.any():
                output = output._replace(present=Present(~lacks_image_B, ~lacks_text_B))
            found = {}
            for modality, label_BL in stored.fusion.probabilities(output).items():
                class_BK = label_BL
                if membership_KL is not None:
                    found_BK = path_probabilities(label_BL.cpu().numpy(), membership_KL)
                    class_BK = torch.from_numpy(found_BK).to(label_BL.device)
                found[modality] = Probabilities(label_BL, class_BK)
        yield rows, found
