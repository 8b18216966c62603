"""What the trained model says of items, and how right it is.

Shape letters: N items, D embedding, K classes, L labels, R classes that are kept.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pipeline.features.classes import item_classes, label_membership
from pipeline.features.pairs import Pairs
from pipeline.metrics.best_columns import best_columns
from pipeline.metrics.classification import SHARED_TOP, hits_at, shared_in_top
from pipeline.metrics.level_nodes import LevelNodes
from pipeline.model.description import MODALITIES
from pipeline.model.embed import embed_pairs, predict
from pipeline.model.model_file import StoredModel

TOP = 5
KEPT = 20
"""Classes that are kept of every item, best first."""


class Predicted(NamedTuple):
    """Embeddings and predictions of one modality.

    Of an item that lacks the modality everything but `has_N` is of no meaning.
    """

    embedding_ND: Tensor
    """[N, D] float32, rows of unit norm; NaN for an item that lacks the modality."""
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

    @property
    def has_N(self) -> Tensor:
        """[N] bool: which items have the modality."""
        return ~self.embedding_ND[:, 0].isnan()


def predict_pairs(
    stored: StoredModel, pairs: Pairs, closely_N: np.ndarray | None = None
) -> dict[str, Predicted]:
    """Embed and classify items by image, by text and by both.

    Where items have several labels, the class is the path that they make up most probably.

    Args:
        stored: The trained model.
        pairs: Items on the model's device.
        closely_N: [N] bool: for which items `best_NR`, `full_path_N` and `one_path_N` are wanted,
            which take longer than all the rest where there are many classes; the others' are
            zeros. All are wanted if it is not given.

    Returns:
        Results by modality: image, text, fused.
    """
    points = embed_pairs(stored.model, pairs)
    membership_KL = label_membership(stored.classes)
    nodes = LevelNodes([entry["parts"] for entry in item_classes(stored.classes)])
    blocks: dict[str, list[Predicted]] = {modality: [] for modality in MODALITIES}
    if closely_N is None:
        closely_N = np.ones(len(pairs), dtype=bool)
    for rows, probabilities in predict(stored, points["image"], points["text"]):
        wanted = np.flatnonzero(closely_N[rows])
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
            node_ML = nodes.best(probability_NK[wanted])
            best_MR = best_columns(class_NK[wanted], min(KEPT, class_NK.shape[1])).to(torch.int32)
            one = Predicted(
                points[modality][rows],
                predicted_N,
                score_N,
                torch.from_numpy(hits_at(probability_NK, label_N, TOP)),
                _spread(best_MR, wanted, len(label_N)),
                _spread(nodes.full_path(node_ML, label_N[wanted]), wanted, len(label_N)),
                _spread(nodes.one_path(node_ML), wanted, len(label_N)),
                shared_N,
            )
            blocks[modality].append(one)
    return {modality: concatenate(parts) for modality, parts in blocks.items()}


def _spread(value_M: Tensor | np.ndarray, rows_M: np.ndarray, items: int) -> Tensor:
    """Put M values at their rows of N items, zeros elsewhere."""
    value_M = torch.as_tensor(value_M)
    value_N = value_M.new_zeros((items, *value_M.shape[1:]))
    value_N[torch.from_numpy(rows_M)] = value_M
    return value_N


def select(predicted: Predicted, rows: Tensor) -> Predicted:
    """Keep some items: those at [M] int64 positions, in that order."""
    return Predicted._make(None if tensor is None else tensor[rows] for tensor in predicted)


def concatenate(parts: Sequence[Predicted]) -> Predicted:
    """Join the results of one or more blocks of items, in that order."""
    columns = zip(*parts, strict=True)
    return Predicted._make(None if column[0] is None else torch.cat(column) for column in columns)
