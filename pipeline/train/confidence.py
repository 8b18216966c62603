"""What the trained model says of validation items, which thresholds are fitted on.

Shape letters: M items chosen, B items of a block, L levels.
"""

import numpy as np
import torch

from pipeline.core.sample import draw_sample
from pipeline.features.class_tree import ClassTree
from pipeline.features.pairs import Pairs
from pipeline.model.description import MODALITIES
from pipeline.model.embed import asked_of, embed_pairs, predict
from pipeline.model.model_file import StoredModel
from pipeline.model.validation_file import Said, Validation

ROWS = 512
"""Items at a time: their probabilities for twenty thousand classes are 40 MB."""
MAX_ITEMS = 20_000
"""Validation items that are asked, a random sample of more: they pin a precision of 0.95 down to
0.004, and take about 3 MB in a model."""


def measure_confidence(
    stored: StoredModel, val: Pairs, group_N: np.ndarray, *, seed: int
) -> Validation:
    """Ask a model of validation items, level by level of the class tree and by every modality.

    Args:
        stored: The trained model with its fusion, on the device of the items.
        val: N validation items.
        group_N: [N] integers, one value per group of items that are right or wrong together.
        seed: Which items are asked where there are more than MAX_ITEMS.

    Returns:
        Confidences, and whether they were justified; NaN where an item has not what is asked for.
        What both together say is of items that have both.
    """
    chosen_M = draw_sample(len(val), MAX_ITEMS, seed)
    tree = ClassTree(stored.classes)
    parts: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in MODALITIES}
    for index in torch.from_numpy(chosen_M).split(ROWS):
        asked = val.take(index.numpy())
        label_B = asked.label_N.cpu().numpy()
        points = embed_pairs(stored.model, asked)
        answers = asked_of(points)
        for rows, probabilities in predict(stored, points["image"], points["text"]):
            for modality, found in probabilities.items():
                node_BJ = tree.node_probabilities(found.class_BK.cpu().numpy())
                best_BL, confidence_BL = tree.best_by_level(node_BJ)
                right_BL = tree.node_KL[label_B[rows]] == best_BL
                confidence_BL[~answers[modality][rows]] = np.nan
                parts[modality].append((confidence_BL, right_BL))
    said = {
        modality: Said(*(np.concatenate(column) for column in zip(*blocks, strict=True)))
        for modality, blocks in parts.items()
    }
    return Validation(said, group_N[chosen_M])
