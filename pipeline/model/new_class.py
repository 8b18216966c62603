"""Whether an item is of a class that the model was not trained on: odds from examples or a name.

Needs no torch.

Shape letters: N items, K old classes, A added classes, D embedding, S numbers of examples,
E evidence.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

EXAMPLES = (0, 1, 5, 20)
"""Numbers of examples, S of them, that weights are fitted for."""
EVIDENCE = ("image", "text", "certain", "one")
"""What the log odds are a weighted sum of: how much nearer the item's picture, and its text, are to
the new class than to the nearest old one; how certain the best old class is (the log of its
probability); and 1."""
NEAREST = 3
"""Classes whose names and items tell how far a name alone is from the items of its class."""
LARGEST = 30.0
"""Log odds beyond which nothing changes."""


class NewClassRule(NamedTuple):
    """What a model keeps of its training so that classes can be added to it."""

    image_KD: np.ndarray
    """[K, D] float32: directions of the mean embeddings of the classes' training pictures; a row of
    zeros for a class without."""
    text_KD: np.ndarray
    """[K, D] float32, of their texts."""
    name_KD: np.ndarray
    """[K, D] float32: text embeddings of the classes' names."""
    weight_3SE: np.ndarray
    """[3, S, E] float64: of the EVIDENCE, by modality and number of examples."""

    def weight(self, modality: int, examples: int) -> np.ndarray:
        """[E] for a class that is known by so many examples."""
        return self.weight_3SE[modality, np.searchsorted(EXAMPLES, examples, side="right") - 1]


class Place(NamedTuple):
    """Where a class that was added is looked for."""

    image_D: np.ndarray
    """[D] unit vector for pictures."""
    text_D: np.ndarray
    """[D] unit vector for texts."""
    pictures: int
    """Examples with a picture."""
    texts: int
    """Examples with a text."""


def prototype(example_MD: np.ndarray, name_D: np.ndarray | None) -> np.ndarray | None:
    """Point where a class is looked for: its M examples' mean, the name counting as one of them.

    The embedding space is shared, so the name, a text, stands for pictures too.

    Args:
        example_MD: [M, D] unit vectors, perhaps none.
        name_D: [D] text embedding of the name; None where no word of it is known.

    Returns:
        [D] unit vector; None where there is nothing.
    """
    total_D = example_MD.sum(axis=0, dtype=np.float64)
    if name_D is not None:
        total_D = total_D + name_D
    norm = np.linalg.norm(total_D)
    return (total_D / norm).astype(np.float32) if norm > 0 else None


def place_of_name(name_D: np.ndarray, name_KD: np.ndarray, mean_KD: np.ndarray) -> np.ndarray:
    """Point where a class is looked for that is known by its name alone.

    A name is not where the items of its class are. How far off it is, and in which direction, the
    nearest other classes tell, whose names and items are known: the embedding of the name is moved
    by the mean difference of theirs.

    Args:
        name_D: [D] text embedding of the name.
        name_KD: [K, D] of the names of other classes.
        mean_KD: [K, D] directions of the mean embeddings of these classes' pictures, or of their
            texts; a row of zeros for a class without.

    Returns:
        [D] unit vector.
    """
    known_K = np.flatnonzero(mean_KD.any(axis=1))
    order_K = np.argsort(-(name_KD[known_K] @ name_D), kind="stable")
    near = known_K[order_K[:NEAREST]]
    moved_D = name_D.astype(np.float64)
    if len(near):
        moved_D = moved_D + (mean_KD[near] - name_KD[near]).mean(axis=0, dtype=np.float64)
    norm = np.linalg.norm(moved_D)
    return (moved_D / norm).astype(np.float32) if norm > 0 else name_D


def evidence(
    image_N: np.ndarray,
    text_N: np.ndarray,
    old_image_N: np.ndarray,
    old_text_N: np.ndarray,
    certain_N: np.ndarray,
) -> np.ndarray:
    """Put the EVIDENCE of one new class together: [N, E] float64.

    Args:
        image_N: Similarity of the items' pictures to the new class; NaN for an item without.
        text_N: Of their texts.
        old_image_N: Similarity of the pictures to the nearest old class.
        old_text_N: Of the texts.
        certain_N: Log of the most probable old class's probability.
    """
    margins = (np.nan_to_num(image_N - old_image_N), np.nan_to_num(text_N - old_text_N))
    return np.stack([*margins, certain_N, np.ones(len(certain_N))], axis=1).astype(np.float64)


def log_odds(
    rule: NewClassRule,
    places: Sequence[Place],
    image_ND: np.ndarray,
    text_ND: np.ndarray,
    probability_NK: np.ndarray,
) -> np.ndarray:
    """Tell how likely each of A added classes is, against all old ones together.

    Args:
        rule: Of the model.
        places: Of the A classes.
        image_ND: [N, D] image embeddings; a row of NaN for an item without a picture.
        text_ND: [N, D] text embeddings, likewise.
        probability_NK: [N, K] probabilities of the old classes; of these the greatest counts.

    Returns:
        [N, A] float64.
    """
    old_image_N = (image_ND @ rule.image_KD.T).max(axis=1)
    old_text_N = (text_ND @ rule.text_KD.T).max(axis=1)
    certain_N = np.log(probability_NK.max(axis=1))
    has_image_N, has_text_N = ~np.isnan(image_ND[:, 0]), ~np.isnan(text_ND[:, 0])
    odds_NA = np.empty((len(image_ND), len(places)))
    for column, place in enumerate(places):
        near_NE = evidence(
            image_ND @ place.image_D, text_ND @ place.text_D, old_image_N, old_text_N, certain_N
        )
        counts = (place.pictures, place.texts, min(place.pictures, place.texts))
        of_image_E, of_text_E, of_both_E = (rule.weight(n, count) for n, count in enumerate(counts))
        weight_NE = np.where(has_text_N[:, None], of_text_E, of_image_E)
        weight_NE = np.where((has_image_N & has_text_N)[:, None], of_both_E, weight_NE)
        odds_NA[:, column] = (near_NE * weight_NE).sum(axis=1)
    return odds_NA


def with_new_classes(probability_NK: np.ndarray, log_odds_NA: np.ndarray) -> np.ndarray:
    """Share the probability among old and new classes.

    The odds are those of a new class against all old ones together, which keep their proportions.

    Returns:
        [N, K + A] float32, rows that sum to 1.
    """
    odds_NA = np.exp(np.clip(log_odds_NA, -LARGEST, LARGEST))
    share_NC = np.concatenate([probability_NK, odds_NA], axis=1)
    return (share_NC / share_NC.sum(axis=1, keepdims=True)).astype(np.float32)
