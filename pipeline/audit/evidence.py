"""Which items of the suggested class lie nearest to a suspect: what a person looks at first.

Shape letters: M suspects, B items of a block, E items named per suspect, F features, C suspects of
one suggested class.
"""

import numpy as np

from pipeline.audit.item_features import MODALITIES, ItemFeatures, has_features
from pipeline.audit.probe import spread
from pipeline.core.sample import draw_sample

SPREAD_ITEMS = 4096
"""That the features' mean and deviation are taken from."""


def nearest_evidence(
    features: ItemFeatures,
    label_N: np.ndarray,
    suspect_M: np.ndarray,
    suggested_M: np.ndarray,
    weight_M2: np.ndarray,
    count: int,
) -> np.ndarray:
    """Find the nearest items that are filed under the class suggested, other suspects left out.

    Nearness is the weighted mean of the cosines of standardised image and text features, of those
    that both items have; an item that has none of a suspect's is no evidence. All features are read
    once; memory grows with the suspects.

    Args:
        features: Of all N items.
        label_N: [N] int64 given classes; -1 for an item that is no evidence.
        suspect_M: [M] int64 positions of the suspects.
        suggested_M: [M] int64 classes suggested for them.
        weight_M2: [M, 2] weights of image and text.
        count: E.

    Returns:
        [M, E] int64 positions, nearest first; -1 where the class has fewer.
    """
    position_ME = np.full((len(suspect_M), count), -1)
    if len(suspect_M) == 0 or count == 0:
        return position_ME
    score_ME = np.full((len(suspect_M), count), -np.inf)
    sample = features.read(draw_sample(len(label_N), SPREAD_ITEMS, seed=0))
    moments = {name: spread(sample[name][has_features(sample[name])]) for name in MODALITIES}
    query = _unit(features.read(suspect_M), moments)
    may_be_shown_N = np.ones(len(label_N), dtype=bool)
    may_be_shown_N[suspect_M] = False
    suspects_of = {c: np.flatnonzero(suggested_M == c) for c in np.unique(suggested_M)}
    for rows, block in features.blocks():
        item = _unit(block, moments)
        label_B = np.where(may_be_shown_N[rows], label_N[rows], -1)
        for c in np.intersect1d(label_B, suggested_M):
            local, suspects_C = np.flatnonzero(label_B == c), suspects_of[c]
            score = np.zeros((len(suspects_C), len(local)))
            total = np.zeros_like(score)
            for name, weight_M in zip(MODALITIES, weight_M2.T, strict=True):
                query_CF, item_LF = query[name][suspects_C], item[name][local]
                both = np.outer(query_CF.any(axis=1), item_LF.any(axis=1))
                weight = weight_M[suspects_C, None] * both
                score += weight * (query_CF @ item_LF.T)
                total += weight
            score = np.where(total > 0, score / np.where(total > 0, total, 1), -np.inf)
            # What is best so far comes first, so that of equals the earlier item stays.
            score = np.concatenate([score_ME[suspects_C], score], axis=1)
            known = np.broadcast_to(local + rows.start, (len(suspects_C), len(local)))
            position = np.concatenate([position_ME[suspects_C], known], axis=1)
            order = np.argsort(-score, axis=1, kind="stable")[:, :count]
            score_ME[suspects_C] = np.take_along_axis(score, order, axis=1)
            position_ME[suspects_C] = np.take_along_axis(position, order, axis=1)
    return position_ME


def _unit(
    read: dict[str, np.ndarray], moments: dict[str, tuple[np.ndarray, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Standardised features with rows of unit norm, by modality; zeros for what an item lacks."""
    unit = {}
    for name, (mean_F, scale_F) in moments.items():
        standard_BF = np.nan_to_num((read[name] - mean_F) / scale_F)
        norm_B1 = np.linalg.norm(standard_BF, axis=1, keepdims=True)
        unit[name] = standard_BF / np.maximum(norm_B1, np.finfo(np.float32).tiny)
    return unit
