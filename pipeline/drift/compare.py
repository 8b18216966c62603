"""How far a period is from the catalogue, and how far as many of its own items would be.

For every figure, as many items as were recorded are drawn from the held-out ones, many times. How
well these stand for the catalogue is uncertain too, so in every draw their groups have other random
weights (Bayesian bootstrap, Rubin 1981): without, a long period would be told from a small
catalogue by what its sample of items happens to be.

Shape letters: R draws, B draws of one block, M held-out items, G groups, K classes, F features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import numpy as np
from scipy.spatial.distance import jensenshannon

from pipeline.core.share_interval import share_interval
from pipeline.drift.baseline import Baseline
from pipeline.drift.moments import feature_distance
from pipeline.drift.periods import Period

Name = Literal["far", "classes", "image", "text", "probability"]
FIGURES: dict[Name, str] = {
    "far": "share called far",
    "classes": "distance of the class mix",
    "image": "distance of the image features",
    "text": "distance of the text features",
    "probability": "mean probability of the class",
}
"""What each says; all but the last alarm when they are greater than usual, that one when less."""
DRAWS = 999
LEAST_LEVEL = len(FIGURES) / (DRAWS + 1)
"""A smaller one could never be reached by so many draws."""
_BLOCK = 128
_INTERVAL = 0.95


class Comparison(NamedTuple):
    """A figure of a period beside that of as many items of the catalogue."""

    figure: Name
    items: int
    """That it was measured on."""
    value: float
    interval: tuple[float, float] | None
    """Wilson's, of 95 %; of a share alone."""
    usual: float
    """Median of the draws."""
    limit: float
    """Beyond it are `level / figures` of the draws."""
    p: float
    """Probability of a value as unusual or more."""
    beyond: bool
    """Whether p is at most `level / figures`."""


def compare(period: Period, baseline: Baseline, level: float) -> list[Comparison]:
    """Compare a period with the catalogue.

    The level is divided by the number of figures (Bonferroni), so that a period of items like the
    catalogue's has any of them beyond its limit with that probability at most.

    Args:
        period: At least one item.
        baseline: Of the same model.
        level: In [LEAST_LEVEL, 1).

    Returns:
        The figures that can be measured, in the order of FIGURES.
    """
    measured = {
        "far": _far,
        "classes": _classes,
        "image": lambda p, b: _features(p, b, "image"),
        "text": lambda p, b: _features(p, b, "text"),
        "probability": _probability,
    }
    found = {name: one for name in FIGURES if (one := measured[name](period, baseline)) is not None}
    each = level / len(found)
    return [_compare(name, one, each) for name, one in found.items()]


class _Measured(NamedTuple):
    """A figure and what draws of as many items have."""

    items: int
    value: float
    draw_R: np.ndarray
    interval: tuple[float, float] | None = None


def _compare(name: Name, one: _Measured, each: float) -> Comparison:
    sign = -1 if name == "probability" else 1
    as_unusual = int((sign * one.draw_R >= sign * one.value).sum())
    p = (1 + as_unusual) / (1 + len(one.draw_R))
    limit = sign * float(np.quantile(sign * one.draw_R, 1 - each))
    usual = float(np.median(one.draw_R))
    return Comparison(name, one.items, one.value, one.interval, usual, limit, p, p <= each)


def _far(period: Period, baseline: Baseline) -> _Measured | None:
    if baseline.far_M is None or not period.judged:
        return None
    far_M = baseline.far_M.astype(np.float64)
    draw_R = _draw(period.judged, baseline.group_M, lambda share_BM: share_BM @ far_M)
    ends = share_interval(period.far, period.judged, _INTERVAL)
    share = period.far / period.judged
    return _Measured(period.judged, share, draw_R, ends)


def _classes(period: Period, baseline: Baseline) -> _Measured:
    names = sorted({*period.classes, *baseline.paths, *baseline.trained_classes})
    place = {name: k for k, name in enumerate(names)}
    is_class_MK = np.zeros((len(baseline.paths), len(names)))
    is_class_MK[np.arange(len(baseline.paths)), [place[path] for path in baseline.paths]] = 1
    usual_K = np.array([baseline.trained_classes[name] for name in names], dtype=np.float64)
    found_K = np.array([period.classes[name] for name in names], dtype=np.float64)

    def distance(share_BM: np.ndarray) -> np.ndarray:
        return jensenshannon(share_BM @ is_class_MK, usual_K[None], base=2, axis=1)

    draw_R = _draw(period.items, baseline.group_M, distance)
    return _Measured(period.items, float(jensenshannon(found_K, usual_K, base=2)), draw_R)


def _features(
    period: Period, baseline: Baseline, modality: Literal["image", "text"]
) -> _Measured | None:
    feature_MF, found = baseline.features[modality], period.moments[modality]
    usual = baseline.trained[modality]
    if not found.count or not len(feature_MF) or not usual.count:
        return None
    square_MF = feature_MF**2

    def distance(share_BM: np.ndarray) -> np.ndarray:
        share_BM = share_BM.astype(np.float32)
        return feature_distance(share_BM @ feature_MF, share_BM @ square_MF, usual)

    draw_R = _draw(found.count, baseline.group[modality], distance)
    value = float(feature_distance(found.mean_F, found.square_F, usual))
    return _Measured(found.count, value, draw_R)


def _probability(period: Period, baseline: Baseline) -> _Measured:
    probability_M = baseline.probability_M
    draw_R = _draw(period.items, baseline.group_M, lambda share_BM: share_BM @ probability_M)
    return _Measured(period.items, period.probability / period.items, draw_R)


def _draw(
    items: int, group_M: np.ndarray, measure: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Measure [R] draws of so many items, given as the share that each held-out item has."""
    return np.concatenate([measure(share_BM) for share_BM in _shares(items, group_M)])


def _shares(items: int, group_M: np.ndarray) -> Iterator[np.ndarray]:
    random = np.random.default_rng(0)
    groups, number_M = np.unique(group_M, return_inverse=True)
    for start in range(0, DRAWS, _BLOCK):
        weight_BG = random.standard_exponential((min(_BLOCK, DRAWS - start), len(groups)))
        weight_BM = weight_BG[:, number_M]
        weight_BM /= weight_BM.sum(axis=1, keepdims=True)
        yield random.multinomial(items, weight_BM) / items
