"""Retrieval and hierarchy metrics in the four directions of the paper (HUSE section 4).

Shape letters: N test items, R results of a query, K classes.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.evaluation.embed import Embedded
from pipeline.metrics.hierarchy import hierarchical_precision, radius_to_enter
from pipeline.metrics.retrieval import candidates_of_class, class_hits, nearest

DIRECTIONS = {
    "image_to_image": ("image", "image"),
    "image_to_text": ("image", "text"),
    "text_to_image": ("text", "image"),
    "text_to_text": ("text", "text"),
}
CURVE = 50
"""Largest K of the R@K curves."""


class Direction(NamedTuple):
    """What one direction of retrieval gives."""

    index_NR: Tensor
    """[N, R] test items found for each test item, best first; -1 for none."""
    recall: dict[int, float]
    """R@K by K."""
    hierarchical_precision: dict[int, float]
    """HP@K by K."""
    curve: list[float]
    """R@1, R@2, ... up to R@CURVE."""
    chance: float
    """R@1 of a random order."""
    unanswerable: int
    """Queries whose class has no other candidate; they count as misses."""


def measure_directions(
    embedded: dict[str, Embedded],
    label_N: Tensor,
    class_parts: Sequence[Sequence[str]],
    *,
    k: Sequence[int],
    hp_k: Sequence[int],
) -> dict[str, Direction]:
    """Measure retrieval among the test items, every one a query.

    Directions within one modality leave the query itself out.

    Args:
        embedded: Test items by modality: image and text.
        label_N: [N] int64 classes.
        class_parts: K class paths.
        k: Cut-offs of R@K.
        hp_k: Cut-offs of HP@K.

    Returns:
        Results by direction.
    """
    radius_KK = radius_to_enter(class_parts)
    cutoffs = range(1, CURVE + 1)
    results = max(*k, *hp_k, CURVE)
    itself_N = torch.arange(len(label_N), device=label_N.device)
    found = {}
    for name, (query, gallery) in DIRECTIONS.items():
        within = itself_N if query == gallery else None
        index_NR = nearest(
            embedded[query].embedding_ND,
            embedded[gallery].embedding_ND,
            results,
            query_group_M=within,
            gallery_group_N=within,
        ).indices
        recall = class_hits(index_NR, label_N, label_N, k).double().mean(dim=0)
        curve = class_hits(index_NR, label_N, label_N, cutoffs).double().mean(dim=0)
        precision = hierarchical_precision(index_NR, label_N, label_N, radius_KK, hp_k)
        same_N = candidates_of_class(
            label_N, label_N, query_group_M=within, gallery_group_N=within
        ).double()
        candidates = len(label_N) - (within is not None)
        found[name] = Direction(
            index_NR,
            dict(zip(k, recall.tolist(), strict=True)),
            dict(zip(hp_k, precision.double().mean(dim=0).tolist(), strict=True)),
            curve.tolist(),
            chance=(same_N / max(candidates, 1)).mean().item(),
            unanswerable=int((same_N == 0).sum()),
        )
    return found
