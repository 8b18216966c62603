"""Retrieval and hierarchy metrics, direction by direction (HUSE section 4).

Every test item is a candidate, by what it has. Queries are all of them too, or of many a random
sample: time then grows with the items, not with their square.

Shape letters: N test items, M queries, G candidates, R results of a query, K classes, C cut-offs.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pipeline.evaluate.predictions import Predicted
from pipeline.metrics.average_precision import average_precision_at_r
from pipeline.metrics.graded_hierarchy import (
    ClassHeights,
    GradedPrecision,
    class_heights,
    graded_precision,
)
from pipeline.metrics.hierarchical_ap import hierarchical_average_precision
from pipeline.metrics.hierarchy import hierarchical_precision, radius_to_enter
from pipeline.metrics.neighbours import candidates_of_class
from pipeline.metrics.retrieval import class_hits, nearest

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
"""K of AHP@K and H-AP@K."""


class Direction(NamedTuple):
    """What one direction of retrieval gives. Arrays hold one row per query.

    A query that no candidate can answer says nothing about the space: it is in no mean.
    """

    query_M: np.ndarray
    """[M] int64: the queries' positions among the test items, ascending; those that have the
    direction's modality."""
    found_MR: Tensor
    """[M, CURVE] test items found for each query, best first; -1 for none."""
    candidates_M: np.ndarray
    """[M] int64: candidates of the query's class; a query with none is unanswerable."""
    chance_M: np.ndarray
    """[M] float64: R@1 of a random order of the same candidates."""
    hit_MC: np.ndarray
    """[M, C] bool: hits that R@K counts."""
    precision_MC: np.ndarray
    """[M, C] float32: shares that HP@K averages, after DeViSE."""
    curve_MR: np.ndarray
    """[M, CURVE] bool: hits that R@1, R@2, ... up to R@CURVE count."""
    average_precision_M: np.ndarray
    """[M] float64: AP@R."""
    graded_average_precision_M: np.ndarray
    """[M] float64: H-AP of the first AREA_TO results."""
    graded: GradedPrecision
    """Graded hierarchical precision of every query."""

    @property
    def answerable(self) -> np.ndarray:
        """[M] bool: whether a candidate can be right."""
        return self.candidates_M > 0


def measure_directions(
    embedded: Mapping[str, Predicted],
    label_N: Tensor,
    class_parts: Sequence[Sequence[str]],
    *,
    k: Sequence[int],
    hp_k: Sequence[int],
    groups: Mapping[str, Tensor] | None = None,
    queries: Tensor | None = None,
) -> dict[str, Direction]:
    """Measure retrieval among the test items.

    Args:
        embedded: Test items by modality; directions of modalities that are missing are left out.
        label_N: [N] int64 classes.
        class_parts: K class paths.
        k: Cut-offs of R@K.
        hp_k: Cut-offs of HP@K.
        groups: What directions within one modality leave out, by modality, from
            `worthless_results`; None to leave out the query alone, as the paper does.
        queries: [M] int64 positions of the queries among the items; None for all.
    """
    everyone_N = torch.arange(len(label_N), device=label_N.device)
    query_M = everyone_N if queries is None else queries
    if groups is None:
        groups = dict.fromkeys(embedded, everyone_N)
    radius_KK, heights = radius_to_enter(class_parts), class_heights(class_parts)
    return {
        name: _measure(
            _search(embedded, query, gallery, label_N, groups[query], query_M),
            radius_KK,
            heights,
            k,
            hp_k,
        )
        for name, (query, gallery) in DIRECTIONS.items()
        if query in embedded and gallery in embedded
    }


def paper_rule(
    embedded: Mapping[str, Predicted],
    label_N: Tensor,
    class_parts: Sequence[Sequence[str]],
    *,
    k: Sequence[int],
    hp_k: Sequence[int],
    queries: Tensor | None = None,
) -> dict[str, dict[str, float]]:
    """R@K and HP@K by the paper's rule: the query alone is left out, and every query counts.

    There has to be a test item; for `queries` see `measure_directions`.

    Returns:
        `r_at_<k>` and `hp_at_<k>` by direction, of those of the paper that there are.
    """
    radius_KK = radius_to_enter(class_parts)
    alone_N = torch.arange(len(label_N), device=label_N.device)
    query_M = alone_N if queries is None else queries
    figures = {}
    for name, (query, gallery) in PAPER_DIRECTIONS.items():
        if query not in embedded or gallery not in embedded:
            continue
        one = _search(embedded, query, gallery, label_N, alone_N, query_M)
        if not len(one.query_M):
            continue
        index_MR = nearest(one.query_MD, one.gallery_GD, max(*k, *hp_k), **one.groups).indices
        labels = one.label_M, one.label_G
        hit_C = class_hits(index_MR, *labels, k).double().mean(dim=0)
        precision_MC = hierarchical_precision(index_MR, *labels, radius_KK, hp_k)
        precision_C = precision_MC.double().mean(dim=0)
        figures[name] = {
            **{f"r_at_{at}": value for at, value in zip(k, hit_C.tolist(), strict=True)},
            **{f"hp_at_{at}": value for at, value in zip(hp_k, precision_C.tolist(), strict=True)},
        }
    return figures


class Search(NamedTuple):
    """Who looks for whom, each with the embedding that it has."""

    query_M: Tensor
    """[M] int64 positions among the items."""
    candidate_G: Tensor
    """[G] int64 positions among the items, ascending."""
    query_MD: Tensor
    gallery_GD: Tensor
    label_M: Tensor
    label_G: Tensor
    groups: dict[str, Tensor | None]
    """What a query may not find; see `nearest`."""


def _search(
    embedded: Mapping[str, Predicted],
    query: str,
    gallery: str,
    label_N: Tensor,
    group: Tensor,
    query_M: Tensor,
) -> Search:
    """Choose the queries and the candidates of a direction.

    Across modalities nothing is left out: an item's own text is what its picture is to find.
    """
    query_M = query_M[embedded[query].has_N[query_M]]
    has_N = embedded[gallery].has_N
    gallery_GD = embedded[gallery].embedding_ND
    if not has_N.all():  # or the whole gallery would be copied
        gallery_GD = gallery_GD[has_N]
    candidate_G = has_N.nonzero()[:, 0]
    within = query == gallery
    groups = {
        "query_group_M": group[query_M] if within else None,
        "gallery_group_N": group[candidate_G] if within else None,
    }
    query_MD = embedded[query].embedding_ND[query_M]
    labels = label_N[query_M], label_N[candidate_G]
    return Search(query_M, candidate_G, query_MD, gallery_GD, *labels, groups)


def _measure(
    one: Search,
    radius_KK: Tensor,
    heights: ClassHeights,
    k: Sequence[int],
    hp_k: Sequence[int],
) -> Direction:
    label_M, label_G, groups = one.label_M, one.label_G, one.groups
    # One search serves all cut-offs.
    results = max(*k, *hp_k, *GRADED_K, CURVE, AREA_TO)
    index_MR = nearest(one.query_MD, one.gallery_GD, results, **groups).indices
    precision_MC = hierarchical_precision(index_MR, label_M, label_G, radius_KK, hp_k)
    graded = graded_precision(
        index_MR, label_M, label_G, heights, GRADED_K, area_to=AREA_TO, **groups
    )
    graded_average_precision_M = hierarchical_average_precision(
        index_MR[:, :AREA_TO], label_M, label_G, heights, **groups
    )
    same_M = candidates_of_class(label_M, label_G, **groups)
    # As if all were of one class: everything that the query is compared with.
    compared_M = candidates_of_class(torch.zeros_like(label_M), torch.zeros_like(label_G), **groups)
    # R is as large as the largest class, so AP@R searches for itself, block by block.
    average_precision_M = average_precision_at_r(
        one.query_MD, one.gallery_GD, label_M, label_G, **groups
    )
    first_MR = index_MR[:, :CURVE]
    return Direction(
        one.query_M.cpu().numpy(),
        # A copy, so that the longer list is freed.
        torch.where(first_MR >= 0, one.candidate_G[first_MR], -1),
        candidates_M=same_M.cpu().numpy(),
        chance_M=(same_M.double() / compared_M.clamp(min=1)).cpu().numpy(),
        hit_MC=class_hits(index_MR, label_M, label_G, k).cpu().numpy(),
        precision_MC=precision_MC.cpu().numpy(),
        curve_MR=class_hits(index_MR, label_M, label_G, range(1, CURVE + 1)).cpu().numpy(),
        average_precision_M=average_precision_M.cpu().numpy(),
        graded_average_precision_M=graded_average_precision_M.cpu().numpy(),
        graded=graded,
    )
