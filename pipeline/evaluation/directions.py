"""Retrieval and hierarchy metrics, direction by direction (HUSE section 4).

Shape letters: N test items, R results of a query, K classes, C cut-offs.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pipeline.evaluation.embed import Embedded
from pipeline.metrics.average_precision import average_precision_at_r
from pipeline.metrics.graded_hierarchy import (
    ClassHeights,
    GradedPrecision,
    class_heights,
    graded_precision,
)
from pipeline.metrics.hierarchy import hierarchical_precision, radius_to_enter
from pipeline.metrics.retrieval import candidates_of_class, class_hits, nearest

PAPER_DIRECTIONS = {
    "image_to_image": ("image", "image"),
    "image_to_text": ("image", "text"),
    "text_to_image": ("text", "image"),
    "text_to_text": ("text", "text"),
}
"""Query and gallery modality; the four of the paper."""
DIRECTIONS = {**PAPER_DIRECTIONS, "fused_to_fused": ("fused", "fused")}
CURVE = 50
"""Largest K of the R@K curves."""
GRADED_K = (1, 10, 50, 100)
"""Cut-offs of graded hierarchical precision."""
AREA_TO = 250
"""K of AHP@K."""


class Direction(NamedTuple):
    """What one direction of retrieval gives. Arrays hold one row per query."""

    found_NR: Tensor
    """[N, CURVE] test items found for each test item, best first; -1 for none."""
    recall: dict[int, float]
    """R@K by K."""
    hierarchical_precision: dict[int, float]
    """HP@K by K, after DeViSE."""
    curve: list[float]
    """R@1, R@2, ... up to R@CURVE."""
    chance: float
    """R@1 of a random order of the same candidates."""
    candidates_N: np.ndarray
    """[N] int64: candidates of the query's class; a query with none can only miss."""
    hit_NC: np.ndarray
    """[N, C] bool: hits that R@K counts."""
    precision_NC: np.ndarray
    """[N, C] float32: shares that HP@K averages."""
    average_precision_N: np.ndarray
    """[N] float64: AP@R."""
    graded: GradedPrecision
    """Graded hierarchical precision of every query."""


def measure_directions(
    embedded: dict[str, Embedded],
    label_N: Tensor,
    class_parts: Sequence[Sequence[str]],
    *,
    k: Sequence[int],
    hp_k: Sequence[int],
    group_N: Tensor | None = None,
) -> dict[str, Direction]:
    """Measure retrieval among the test items, every one a query.

    Directions within one modality leave out the query and the items of its group. The paper
    leaves out the query alone; a variant of the same product, or the same text or picture under
    another number, then makes a hit that says nothing about the space.

    Args:
        embedded: Test items by modality; directions of modalities that are missing are left out.
        label_N: [N] int64 classes.
        class_parts: K class paths.
        k: Cut-offs of R@K.
        hp_k: Cut-offs of HP@K.
        group_N: [N] int64 groups; None to leave out the query alone, as the paper does.

    Returns:
        Results by direction.
    """
    if group_N is None:
        group_N = torch.arange(len(label_N), device=label_N.device)
    radius_KK, heights = radius_to_enter(class_parts), class_heights(class_parts)
    return {
        name: _measure(
            embedded[query].embedding_ND,
            embedded[gallery].embedding_ND,
            label_N,
            group_N if query == gallery else None,
            radius_KK,
            heights,
            k,
            hp_k,
        )
        for name, (query, gallery) in DIRECTIONS.items()
        if query in embedded and gallery in embedded
    }


def _measure(
    query_ND: Tensor,
    gallery_ND: Tensor,
    label_N: Tensor,
    group_N: Tensor | None,
    radius_KK: Tensor,
    heights: ClassHeights,
    k: Sequence[int],
    hp_k: Sequence[int],
) -> Direction:
    groups = {"query_group_M": group_N, "gallery_group_N": group_N}
    results = max(*k, *hp_k, *GRADED_K, CURVE, AREA_TO)
    index_NR = nearest(query_ND, gallery_ND, results, **groups).indices
    hit_NC = class_hits(index_NR, label_N, label_N, k)
    precision_NC = hierarchical_precision(index_NR, label_N, label_N, radius_KK, hp_k)
    graded = graded_precision(
        index_NR, label_N, label_N, heights, GRADED_K, area_to=AREA_TO, **groups
    )
    curve = class_hits(index_NR, label_N, label_N, range(1, CURVE + 1)).double().mean(dim=0)
    same_N = candidates_of_class(label_N, label_N, **groups)
    return Direction(
        # A copy, so that the longer list is freed.
        index_NR[:, :CURVE].clone(),
        dict(zip(k, hit_NC.double().mean(dim=0).tolist(), strict=True)),
        dict(zip(hp_k, precision_NC.double().mean(dim=0).tolist(), strict=True)),
        curve.tolist(),
        chance=(same_N.double() / _candidates(label_N, group_N).clamp(min=1)).mean().item(),
        candidates_N=same_N.cpu().numpy(),
        hit_NC=hit_NC.cpu().numpy(),
        precision_NC=precision_NC.cpu().numpy(),
        average_precision_N=average_precision_at_r(query_ND, gallery_ND, label_N, label_N, **groups)
        .cpu()
        .numpy(),
        graded=graded,
    )


def _candidates(label_N: Tensor, group_N: Tensor | None) -> Tensor:
    """[N] items that a query is compared with."""
    everything_N = torch.full_like(label_N, len(label_N))
    if group_N is None:
        return everything_N
    _, number_N, size_G = torch.unique(group_N, return_inverse=True, return_counts=True)
    return everything_N - size_G[number_N]
