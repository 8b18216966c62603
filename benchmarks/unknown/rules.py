"""A picture and a text beside each other: rules that make one judgement of two distances.

Shape letters: N items; the last axis has the two parts, in units of their limits.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from benchmarks.unknown.scenes import EMPTY, HALVES, OTHER, SENSELESS
from benchmarks.unknown.scores import Values


class Rule(NamedTuple):
    """How two distances become one."""

    of: Callable[[np.ndarray], np.ndarray]
    """From [N, 2] to [N]."""
    own_limit: bool = False
    """Whether the limit is fitted to the validation items; else it is 1."""


def _mean(ratio_N2: np.ndarray) -> np.ndarray:
    return ratio_N2.mean(axis=1)


def _root_mean_square(ratio_N2: np.ndarray) -> np.ndarray:
    return np.sqrt((ratio_N2**2).mean(axis=1))


def _least(ratio_N2: np.ndarray) -> np.ndarray:
    return ratio_N2.min(axis=1)


def _greatest(ratio_N2: np.ndarray) -> np.ndarray:
    return ratio_N2.max(axis=1)


ANY_NEAR, ROOT_MEAN_SQUARE = "any part near", "root mean square"
RULES = {
    ANY_NEAR: Rule(_least),
    "any part near, limit of its own": Rule(_least, True),
    "mean": Rule(_mean),
    "mean, limit of its own": Rule(_mean, True),
    ROOT_MEAN_SQUARE: Rule(_root_mean_square),
    "root mean square, limit of its own": Rule(_root_mean_square, True),
    "every part near": Rule(_greatest),
    "every part near, limit of its own": Rule(_greatest, True),
}


def pair_up(image: Values, text: Values, half_N: np.ndarray) -> dict[str, np.ndarray]:
    """[N, 2] by kind: both parts own, both strange, or one of each.

    Args:
        image: Distances of pictures in units of their limit.
        text: Those of texts.
        half_N: Those of half the title of every test item.
    """
    generator = np.random.default_rng(2)

    def mixed(image_N: np.ndarray, text_N: np.ndarray) -> np.ndarray:
        count = min(len(image_N), len(text_N))
        rows = [generator.permutation(len(one_N))[:count] for one_N in (image_N, text_N)]
        return np.stack([image_N[rows[0]], text_N[rows[1]]], axis=1)

    own = {name: np.stack([image[name], text[name]], axis=1) for name in ("val", "test")}
    return own | {
        OTHER: np.stack([image[OTHER], text[OTHER]], axis=1),
        SENSELESS: np.stack([image[SENSELESS], text[SENSELESS]], axis=1),
        f"{EMPTY}, other's title": mixed(image[EMPTY], text[OTHER]),
        "own picture, other's title": mixed(image["test"], text[OTHER]),
        "other's picture, own title": mixed(image[OTHER], text["test"]),
        "own picture, nonsense": mixed(image["test"], text[SENSELESS]),
        f"{EMPTY}, own title": mixed(image[EMPTY], text["test"]),
        f"own picture, {HALVES}": np.stack([image["test"], half_N], axis=1),
    }
