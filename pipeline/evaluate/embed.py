"""Items through the trained towers.

Shape letters: N items, D embedding, K classes, L labels.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.features.classes import label_membership
from pipeline.features.pairs import Pairs
from pipeline.metrics.classification import SHARED_TOP, hits_at, shared_in_top
from pipeline.model.fusion import path_probabilities
from pipeline.model.model_file import StoredModel

MODALITIES = ("image", "text", "fused")
CHUNK = 8192
"""Items per forward pass: bounds the hidden activations, not the result."""
CHUNK_LOGITS = 2**24
"""Logits per forward pass and modality, 64 MiB, where there are more than two thousand classes."""
TOP = 5


class Embedded(NamedTuple):
    """Embeddings and predictions of one modality."""

    embedding_ND: Tensor
    """[N, D] float32, rows of unit norm."""
    predicted_N: Tensor
    """[N] int64: most probable class."""
    score_N: Tensor
    """[N] float32: its probability."""
    in_top_N: Tensor
    """[N] bool: whether the true class is among the TOP most probable."""
    shared_N: Tensor | None = None
    """[N] float64: share of the item's labels among its SHARED_TOP most probable; None where an
    item has one class and no labels."""


def embed_pairs(stored: StoredModel, pairs: Pairs) -> dict[str, Embedded]:
    """Embed and classify items by image, by text and by both.

    Where items have several labels, the class is the path that they make up most probably.

    The fused embedding is the direction of the sum of the two; the fused prediction is the fitted
    fusion of the two calibrated ones.

    Args:
        stored: The trained model.
        pairs: Items on the model's device.

    Returns:
        Results by modality: image, text, fused.
    """
    chunks: dict[str, list[Embedded]] = {modality: [] for modality in MODALITIES}
    membership = label_membership(stored.classes)
    membership_KL = None if membership is None else torch.from_numpy(membership)
    with torch.inference_mode():
        size = min(CHUNK, max(1, CHUNK_LOGITS // stored.model.config.num_classes))
        for start in range(0, max(len(pairs), 1), size):
            rows = slice(start, start + size)
            output = stored.model(pairs.image_NI[rows], pairs.text_NT[rows])
            probabilities = stored.fusion.probabilities(output)
            embeddings = {
                "image": output.image_BD,
                "text": output.text_BD,
                "fused": functional.normalize(output.image_BD + output.text_BD, dim=1),
            }
            label_N = pairs.label_N[rows].cpu().numpy()
            for modality in MODALITIES:
                probability_NK, shared_N = probabilities[modality], None
                if membership_KL is not None:
                    shared = shared_in_top(
                        probability_NK.cpu().numpy(), membership_KL.numpy()[label_N], SHARED_TOP
                    )
                    shared_N = torch.from_numpy(shared)
                    probability_NK = path_probabilities(
                        probability_NK, membership_KL.to(probability_NK.device)
                    )
                score_N, predicted_N = probability_NK.max(dim=1)
                in_top_N = torch.from_numpy(hits_at(probability_NK.cpu().numpy(), label_N, TOP))
                chunks[modality].append(
                    Embedded(embeddings[modality], predicted_N, score_N, in_top_N, shared_N)
                )
    return {modality: concatenate(parts) for modality, parts in chunks.items()}


def select(embedded: Embedded, rows: Tensor) -> Embedded:
    """Keep some items.

    Args:
        embedded: Results of one modality.
        rows: [M] int64 item indices.

    Returns:
        Their results in that order.
    """
    return Embedded._make(None if tensor is None else tensor[rows] for tensor in embedded)


def concatenate(parts: Sequence[Embedded]) -> Embedded:
    """Join the results of several blocks of items.

    Args:
        parts: At least one.

    Returns:
        All of them in that order.
    """
    columns = zip(*parts, strict=True)
    return Embedded._make(None if column[0] is None else torch.cat(column) for column in columns)
