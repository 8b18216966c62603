"""How a class without training is told from the trained ones: fitted by leaving classes out.

Shape letters: N items, M validation items, K classes, D embedding, T text feature, E evidence,
R pairs of a class that is left out and an item, B items of a block.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import expit

from pipeline.core.sample import draw_sample
from pipeline.features.joined import FeatureIndex
from pipeline.features.pairs import Pairs, read_pairs
from pipeline.features.text_input import StoredText
from pipeline.model.description import MODALITIES
from pipeline.model.embed import CHUNK, embed, predict
from pipeline.model.model_file import StoredModel
from pipeline.model.new_class import (
    EVIDENCE,
    EXAMPLES,
    NewClassRule,
    evidence,
    place_of_name,
    prototype,
)

OF_CLASS = 100
"""Training items whose mean stands for a class, a random sample of more."""
MAX_TRAIN = 100_000
"""Of all classes together: their embeddings, 400 MB of dimension 512, are in memory."""
MAX_CLASSES = 200
"""Classes that are left out in turn, a random sample of more."""
MAX_ITEMS = 4000
"""Validation items that are asked each time, a random sample of more."""
MAX_VALUES = 2**23
"""Items times classes, where there are so many classes that it is fewer items: 32 MiB a matrix."""
RIDGE = 0.01
"""Of the weights; so small that it counts only where classes are told apart without a mistake."""
SMALLEST = 1e-12
"""Probability whose log is taken."""


class _Highest(NamedTuple):
    """The greatest and the next value of every row, to tell what is greatest without one column."""

    value_MK: np.ndarray
    first_M: np.ndarray
    column_M: np.ndarray
    second_M: np.ndarray

    def of(self, column: int) -> np.ndarray:
        return self.value_MK[:, column]

    def without(self, column: int) -> np.ndarray:
        return np.where(self.column_M == column, self.second_M, self.first_M)


def fit_new_classes(
    stored: StoredModel, index: FeatureIndex, val: Pairs, name_KT: StoredText, *, seed: int
) -> NewClassRule:
    """Take every class in turn for a new one, and fit the odds of its items against all others.

    A class is left out of what the items are compared with and of the probabilities; a few of its
    training items, or only its name, then stand for it. Classes count equally however many items
    they have. The towers have seen the class, so what is fitted is somewhat too sure of itself.

    Args:
        stored: The trained model with its fusion.
        index: All items, of which those of split train that have both features are read.
        val: Validation items on the model's device; those that have both features are asked.
        name_KT: [K, T] text features of the names of the classes, on that device.
        seed: Which items and classes are drawn.

    Returns:
        The classes' means and the weights; deterministic.
    """
    classes = len(name_KT)
    of_class = min(OF_CLASS, max(1, MAX_TRAIN // classes))
    # What one part alone tells is asked of items that have both, one part at a time.
    if val.present is not None:
        val = val.take(val.present.both_N.nonzero()[:, 0].cpu().numpy())
    label_N, train = _some_of_each(index.only("train").complete(), of_class, seed)
    point_ND = _embed_training_items(stored, train, val.image_NI.device)
    means = [_class_means(one_ND, label_N, classes) for one_ND in point_ND]
    with torch.inference_mode():
        name_KD = stored.model.text_tower(name_KT).cpu().numpy()
    asked = val.take(draw_sample(len(val), min(MAX_ITEMS, max(1, MAX_VALUES // classes)), seed))
    label_M = asked.label_N.cpu().numpy()
    points = embed(stored.model, asked.image_NI, asked.text_NT)
    items = [points[name].cpu().numpy() for name in MODALITIES[:2]]
    near = [_highest(item_MD @ mean_KD.T) for item_MD, mean_KD in zip(items, means, strict=True)]
    blocks = [found for _, found in predict(stored, points["image"], points["text"])]
    said = [
        np.concatenate([found[name].class_BK.cpu().numpy() for found in blocks])
        for name in MODALITIES
    ]
    best = [_highest(probability_MK) for probability_MK in said]
    tried = np.unique(label_M)
    tried = tried[draw_sample(len(tried), MAX_CLASSES, seed)].tolist()
    generator = np.random.default_rng(seed)
    drawn = {label: generator.permutation(np.flatnonzero(label_N == label)) for label in tried}
    weight_3SE = np.zeros((len(MODALITIES), len(EXAMPLES), len(EVIDENCE)))
    for size, examples in enumerate(EXAMPLES):
        usable = [label for label in tried if len(drawn[label]) >= examples]
        if not usable:  # no class is so large: what fewer examples tell is all there is
            weight_3SE[:, size] = weight_3SE[:, size - 1]
            continue
        if examples:
            places = [
                [prototype(one_ND[drawn[label][:examples]], name_KD[label]) for one_ND in point_ND]
                for label in usable
            ]
        else:
            places = [_places_of_name(label, name_KD, means) for label in usable]
        is_new_CM = label_M == np.array(usable)[:, None]
        share_R = _equal_classes(is_new_CM)
        for modality in range(len(MODALITIES)):
            parts = [
                _evidence_of(label, place, items, near, best[modality], modality)
                for label, place in zip(usable, places, strict=True)
            ]
            weight_3SE[modality, size] = fit_odds(np.concatenate(parts), is_new_CM.ravel(), share_R)
    return NewClassRule(means[0], means[1], name_KD, weight_3SE)


def _places_of_name(
    label: int, name_KD: np.ndarray, means: Sequence[np.ndarray]
) -> list[np.ndarray | None]:
    """Where a class that is left out is looked for by its name, for pictures and for texts."""
    others = np.arange(len(name_KD)) != label
    return [place_of_name(name_KD[label], name_KD[others], mean_KD[others]) for mean_KD in means]


def _evidence_of(
    label: int,
    places: Sequence[np.ndarray | None],
    items: Sequence[np.ndarray],
    near: Sequence[_Highest],
    best: _Highest,
    modality: int,
) -> np.ndarray:
    """[M, E] of all items for a class that is left out, by their pictures, their texts or both."""
    similar = []
    for n, (item_MD, place_D) in enumerate(zip(items, places, strict=True)):
        assert place_D is not None, "embeddings have unit norm"
        seen = modality in (n, 2)
        similar.append(item_MD @ place_D if seen else np.full(len(item_MD), np.nan))
    rest_M = np.maximum(1 - best.of(label), SMALLEST)
    certain_M = np.log(np.clip(best.without(label) / rest_M, SMALLEST, 1))
    old_image_M, old_text_M = (one.without(label) for one in near)
    return evidence(similar[0], similar[1], old_image_M, old_text_M, certain_M)


def fit_odds(evidence_RE: np.ndarray, is_new_R: np.ndarray, share_R: np.ndarray) -> np.ndarray:
    """Weights of the EVIDENCE, by logistic regression: [E] float64.

    Being nearer to the new class never makes it less likely: those weights are at least zero.

    Args:
        evidence_RE: [R, E] float64.
        is_new_R: [R] bool.
        share_R: [R] how much each row counts.
    """
    sign_R = np.where(is_new_R, 1.0, -1.0)

    def loss(weight_E: np.ndarray) -> tuple[float, np.ndarray]:
        margin_R = sign_R * (evidence_RE @ weight_E)
        value = (share_R * np.logaddexp(0, -margin_R)).sum() + RIDGE / 2 * weight_E @ weight_E
        gradient_E = -(share_R * sign_R * expit(-margin_R)) @ evidence_RE + RIDGE * weight_E
        return value, gradient_E

    bounds = [(0, None) if name in MODALITIES else (None, None) for name in EVIDENCE]
    return minimize(loss, np.zeros(len(EVIDENCE)), jac=True, method="L-BFGS-B", bounds=bounds).x


def _equal_classes(is_new_CM: np.ndarray) -> np.ndarray:
    """Let the items of every class that was left out count as much together as any other's."""
    of_class_C = is_new_CM.sum(axis=1)
    each_C = of_class_C.mean() / of_class_C
    return np.where(is_new_CM, each_C[:, None], 1.0).ravel()


def _some_of_each(train: FeatureIndex, of_class: int, seed: int) -> tuple[np.ndarray, FeatureIndex]:
    order_N = np.random.default_rng(seed).permutation(len(train))
    label_N = train.label_N[order_N]
    by_class = np.argsort(label_N, kind="stable")
    first_N = np.searchsorted(label_N[by_class], label_N[by_class])
    kept = np.sort(order_N[by_class[np.arange(len(train)) - first_N < of_class]])
    return train.label_N[kept], train.take(kept)


def _embed_training_items(
    stored: StoredModel, train: FeatureIndex, device: torch.device
) -> list[np.ndarray]:
    blocks = []
    for start in range(0, len(train), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(train)))
        pairs = read_pairs(train.take(rows)).to(device)
        points = embed(stored.model, pairs.image_NI, pairs.text_NT)
        blocks.append([points[name].cpu().numpy() for name in MODALITIES[:2]])
    return [np.concatenate(parts) for parts in zip(*blocks, strict=True)]


def _class_means(point_ND: np.ndarray, label_N: np.ndarray, classes: int) -> np.ndarray:
    total_KD = np.zeros((classes, point_ND.shape[1]))
    np.add.at(total_KD, label_N, point_ND)
    norm_K1 = np.linalg.norm(total_KD, axis=1, keepdims=True)
    return (total_KD / np.where(norm_K1 > 0, norm_K1, 1)).astype(np.float32)


def _highest(value_MK: np.ndarray) -> _Highest:
    column_M = value_MK.argmax(axis=1)
    rows = np.arange(len(value_MK))
    rest_MK = value_MK.copy()
    rest_MK[rows, column_M] = -np.inf
    return _Highest(value_MK, value_MK[rows, column_M], column_M, rest_MK.max(axis=1))
