"""What is believed of items' classes, and what may be done about it unattended.

Shape letters: N items, K classes, J nodes, L levels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from pipeline.decide.rules import decide
from pipeline.decide.settings import Rule
from pipeline.decide.thresholds import Threshold, choose_level
from pipeline.features.class_tree import ClassTree
from pipeline.use.attribute_values import ValueGuess

State = Literal["filed", "filed above", "review", "unknown"]


class Guess(NamedTuple):
    """A node of the class tree and how probable it is."""

    path: str
    """Parts joined by the catalogue's separator."""
    probability: float


@dataclass(frozen=True)
class Prediction:
    """What is believed of one item's class."""

    top: list[Guess]
    """Most probable classes, best first."""
    decided: Guess
    """What rule `classify.decide` gives: a class, or with `hf_beta` perhaps a node above."""
    filed: Guess | None
    """Deepest node that is certain enough for the wanted precision; None: for a person to file."""
    state: State
    """Whether it may be filed unattended: at a class without others below it (`filed`), at a node
    that has some (`filed above`), or not (`review`)."""
    attributes: Mapping[str, ValueGuess] = field(default_factory=dict)
    """Most probable values of what `attributes.predict` names, from what the item has."""


def make_predictions(
    tree: ClassTree,
    probability_NK: np.ndarray,
    thresholds: Sequence[Sequence[Threshold]],
    *,
    k: int,
    rule: Rule,
    beta: float,
    trained: tuple[ClassTree, np.ndarray] | None = None,
) -> list[Prediction]:
    """Name each item's `k` most probable classes, the decided node, and where it is filed.

    Args:
        tree: The class tree.
        probability_NK: [N, K] calibrated probabilities; rows sum to 1.
        thresholds: N lists of thresholds, from `fit_thresholds` for what the item has: a picture,
            a text, or both. An empty one files nothing.
        k: How many classes to name.
        rule: What is decided; see `decide`.
        beta: Of rule `hf_beta`.
        trained: The tree and the [N, M] probabilities that thresholds speak for, where the first M
            of K classes are those of the training: by these an item is filed, and one whose most
            probable class is none of them only above that class. All classes if not given.
    """
    node_NJ = tree.node_probabilities(probability_NK)
    best_NL, confidence_NL = tree.best_by_level(node_NJ)
    if trained is not None:
        best_NL, confidence_NL = trained[0].best_by_level(trained[0].node_probabilities(trained[1]))
        label_N = probability_NK.argmax(axis=1)
        is_above_NL = best_NL == tree.node_KL[label_N, : trained[0].levels]
        is_added_N1 = label_N[:, None] >= trained[1].shape[1]
        confidence_NL = np.where(is_added_N1 & ~is_above_NL, -1.0, confidence_NL)
    decided_N = decide(tree, probability_NK, rule, beta=beta)
    order_NK = np.argsort(-probability_NK, axis=1, kind="stable")[:, :k]
    found = []
    for n, fitted in enumerate(thresholds):
        level = int(choose_level(confidence_NL[[n]], fitted)[0])
        nodes = [*tree.class_node_K[order_NK[n]], decided_N[n]]
        *top, decided = (Guess(tree.path_J[node], float(node_NJ[n, node])) for node in nodes)
        filed = best_NL[n, level - 1]
        state: State = "filed above" if tree.has_below_J[filed] else "filed"
        found.append(
            Prediction(
                # A class that others are below is less probable than its node.
                [
                    guess._replace(probability=float(probability_NK[n, label]))
                    for guess, label in zip(top, order_NK[n], strict=True)
                ],
                decided,
                Guess(tree.path_J[filed], float(confidence_NL[n, level - 1])) if level else None,
                state if level else "review",
            )
        )
    return found
