"""Which nodes of another class tree are nearest to those of one's own.

How near a node of one's own is to one of the other tree, by the cosine of a frozen text encoder:

    names = (last part to last part + whole path to whole path) / 2
    items = mean of the titles below it to the other's last part and to its path, likewise
    own = (names + ITEMS * items) / (1 + ITEMS)
    score = (own + ABOVE * parent) / (1 + ABOVE)

where `parent` is the highest score that the node above one's own has with the other node or with
any node above that: what is below `shoes` belongs below what `shoes` belongs to, be it called
`flat` or `ankle`. Measured by benchmarks/map.py.

Shape letters: K nodes of one's own tree, J nodes of the other, B nodes of a block, F features
of a text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from pipeline.core.block import Block
from pipeline.index.references import unit_rows
from pipeline.use.own_tree import Encode, OwnTree
from pipeline.use.taxonomy_file import Parts, Taxonomy

TEMPERATURE = 0.02
"""Scores are divided by it before they become confidences. With it, and the default encoder, the
mean confidence of the fashion products' classes in Google's tree is near the share of right first
proposals (benchmarks/map.py)."""
BLOCK = 256
"""Nodes of one's own at a time: their similarities to 15,000 others are 15 MB."""
JOINED = " > "
"""What stands between the parts of a path for the encoder."""


class Weights(NamedTuple):
    """What counts how much in a score."""

    leaf: float = 0.5
    path: float = 0.5
    items: float = 0.5
    above: float = 0.5


class Candidate(NamedTuple):
    """A node of the other tree that is proposed."""

    path: str
    """Parts joined by ` > `."""
    id: str
    confidence: float
    """Share of this node in the softmax of the scores over all nodes of the other tree."""
    names: float
    """Similarity by names."""
    items: float
    """Similarity by the items' titles; 0 without titles."""


class Mapped(NamedTuple):
    """A node of one's own tree with what is proposed for it."""

    parts: Parts
    items: int
    """Items at and below it."""
    candidates: list[Candidate]
    """The best first, then the one that was asked for, where it is none of them."""


def map_classes(
    own: OwnTree,
    other: Taxonomy,
    encode: Encode,
    *,
    k: int,
    wanted: dict[Parts, int] | None = None,
    weights: Weights | None = None,
) -> Iterator[Mapped]:
    """Propose the `k` nearest nodes of another tree for each node of one's own, in its order.

    Only the scores of a block and of the nodes above the present one are in memory.

    Args:
        own: One's own tree.
        other: The other tree, J nodes.
        encode: Makes features of names, as those of the titles were made.
        k: How many to propose.
        wanted: A node of the other tree, by its number, that is to be among a node's candidates.
        weights: What counts how much; as measured best if not given.
    """
    weights = Weights() if weights is None else weights
    leaf_JF, path_JF = _features(other.paths, encode)
    leaf_KF, path_KF = _features(own.nodes, encode)
    titles_KF = unit_rows(own.titles_KF)
    has_titles_K = np.asarray(abs(titles_KF).sum(axis=1)).ravel() > 0
    levels = _levels(other.paths)
    above: list[np.ndarray] = []
    total = weights.leaf + weights.path
    for start in range(0, len(own.nodes), BLOCK):
        part = slice(start, start + BLOCK)
        names_BJ = weights.leaf * _dot(leaf_KF[part], leaf_JF)
        names_BJ += weights.path * _dot(path_KF[part], path_JF)
        items_BJ = weights.leaf * _dot(titles_KF[part], leaf_JF)
        items_BJ += weights.path * _dot(titles_KF[part], path_JF)
        names_BJ, items_BJ = names_BJ / total, items_BJ / total
        # A node without a title goes by its names alone.
        share_B = weights.items * has_titles_K[part]
        for b, node in enumerate(own.nodes[part]):
            score_J = (names_BJ[b] + share_B[b] * items_BJ[b]) / (1 + share_B[b])
            del above[len(node) - 1 :]
            if above:
                score_J = (score_J + weights.above * above[-1]) / (1 + weights.above)
            above.append(_best_on_the_way(score_J, levels))
            best = np.argsort(-score_J, kind="stable")[:k].tolist()
            asked = None if wanted is None else wanted.get(node)
            if asked is not None and asked not in best:
                best.append(asked)
            share_J = np.exp((score_J - score_J.max()) / TEMPERATURE)
            share_J /= share_J.sum()
            found = [
                Candidate(
                    JOINED.join(other.paths[j]),
                    other.ids[j],
                    *(float(value_J[j]) for value_J in (share_J, names_BJ[b], items_BJ[b])),
                )
                for j in best
            ]
            yield Mapped(node, int(own.count_K[start + b]), found)


def _features(paths: Sequence[Parts], encode: Encode) -> tuple[Block, Block]:
    """Unit features of last parts and of whole paths."""
    return (
        unit_rows(encode([path[-1] for path in paths])),
        unit_rows(encode([JOINED.join(path) for path in paths])),
    )


def _dot(left_BF: Block, right_JF: Block) -> np.ndarray:
    product = left_BF @ right_JF.T
    return np.asarray(product if isinstance(product, np.ndarray) else product.toarray())


def _levels(paths: Sequence[Parts]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Nodes of each level below the first, and the nodes above them."""
    place = {path: j for j, path in enumerate(paths)}
    levels = []
    for depth in range(2, max(map(len, paths)) + 1):
        here = [j for j, path in enumerate(paths) if len(path) == depth]
        levels.append((np.array(here), np.array([place[paths[j][:-1]] for j in here])))
    return levels


def _best_on_the_way(
    score_J: np.ndarray, levels: Sequence[tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """[J] the highest score of each node and all nodes above it."""
    best_J = score_J.copy()
    for here, parent in levels:
        best_J[here] = np.maximum(best_J[here], best_J[parent])
    return best_J
