"""What the trained model says of items, and how right it is.

Shape letters: N items, D embedding, K classes, L labels, R classes that are kept.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.features.classes import item_classes, label_membership
from pipeline.features.pairs import Pairs
from pipeline.metrics.best_columns import best_columns
from pipeline.metrics.classification import SHARED_TOP, hits_at, shared_in_top
from pipeline.metrics.level_nodes import LevelNodes
from pipeline.model.description import MODALITIES
from pipeline.model.embed import embed, predict
from pipeline.model.model_file import StoredModel

TOP = 5
KEPT = 20
"""Classes that are kept of every item, best first."""


class Predicted(NamedTuple):
    """Embeddings and predictions of one modality."""

    embedding_ND: Tensor
    """[N, D] float32, rows of unit norm."""
    predicted_N: Tensor
    """[N] int64: most probable class."""
    score_N: Tensor
    """[N] float32: its probability."""
    in_top_N: Tensor
    """[N] bool: whether the true class is among the TOP most probable."""
    best_NR: Tensor
    """[N, R] int32: the KEPT most probable classes, or all, best first."""
    full_path_N: Tensor
    """[N] bool: whether the most probable node is right at every level of the class tree."""
    one_path_N: Tensor
    """[N] bool: whether these nodes lie on one path."""
    shared_N: Tensor | None = None
    """[N] float64: share of the item's labels among its SHARED_TOP most probable; None where an
    item has one class and no labels."""


def predict_pairs(stored: StoredModel, pairs: Pairs) -> dict[str, Predicted]:
    """Embed and classify items by image, by text and by both.

    Where items have several labels, the class is the path that they make up most probably.

    Args:
        stored: The trained model.
        pairs: Items on the model's device.

    Returns:
        Results by modality: image, text, fused.
    """
    points = embed(stored.model, pairs.image_NI, pairs.text_NT)
    membership_KL = label_membership(stored.classes)
    nodes = LevelNodes([entry["parts"] for entry in item_classes(stored.classes)])
    blocks: dict[str, list[Predicted]] = {modality: [] for modality in MODALITIES}
    for rows, probabilities in predict(stored, points["image"], points["text"]):
        label_N = pairs.label_N[rows].cpu().numpy()
        for modality, (label_NL, class_NK) in probabilities.items():
            shared_N = None
            if membership_KL is not None:
                own_NL = membership_KL[label_N]
                shared = shared_in_top(label_NL.cpu().numpy(), own_NL, SHARED_TOP)
                shared_N = torch.from_numpy(shared)
            # The probabilities themselves are not kept: N x K of them would outgrow all the rest.
            score_N, predicted_N = class_NK.max(dim=1)
            probability_NK = class_NK.cpu().numpy()
            node_NL = nodes.best(probability_NK)
            one = Predicted(
                points[modality][rows],
                predicted_N,
                score_N,
                torch.from_numpy(hits_at(probability_NK, label_N, TOP)),
                best_columns(class_NK, min(KEPT, class_NK.shape[1])).to(torch.int32),
                torch.from_numpy(nodes.full_path(node_NL, label_N)),
                torch.from_numpy(nodes.one_path(node_NL)),
                shared_N,
            )
            blocks[modality].append(one)
    return {modality: concatenate(parts) for modality, parts in blocks.items()}


def select(predicted: Predicted, rows: Tensor) -> Predicted:
    """Keep some items: those at [M] int64 positions, in that order."""
    return Predicted._make(None if tensor is None else tensor[rows] for tensor in predicted)


def concatenate(parts: Sequence[Predicted]) -> Predicted:
    """Join the results of one or more blocks of items, in that order."""
    columns = zip(*parts, strict=True)
    return Predicted._make(None if column[0] is None else torch.cat(column) for column in columns)
