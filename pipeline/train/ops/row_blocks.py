"""Means over blocks of a distance matrix, with the gradient computed in the forward pass.

For losses that look at each anchor's whole row of distances (triplets with mining, all unmatched
pairs). One block of rows exists at a time, so memory is O(N * (D + block)) and not O(N^2).

Shape letters: N embeddings, D embedding, M anchors, C candidates, R anchors of a block.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from pipeline.core.distance import pairwise
from pipeline.train.ops.gradient_in_forward import LossAndGradient, with_gradient_in_forward

ROWS = 256

BlockTerms = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""From the distances [R, C] of a block and the positions [R] of its rows among the anchors: the sum
of the block's terms (differentiable with respect to the distances) and their number."""


def mean_over_row_blocks(
    embedding_ND: Tensor, sides: Sequence[tuple[slice, slice]], block_terms: BlockTerms
) -> Tensor:
    """Sum of the terms of every block over their number, or 0 where there is no term.

    It is computed in float32 (float64 for a float64 embedding) whatever autocast says.

    Args:
        embedding_ND: [N, D] float, rows of unit norm.
        sides: Which rows are the anchors and which the candidates, once per direction; the mean is
            over the terms of all directions together.
        block_terms: Plain torch code, called with autograd on for one block of anchors at a time.

    Returns:
        Scalar. It can be differentiated once.
    """
    embedding_ND = embedding_ND.to(torch.promote_types(embedding_ND.dtype, torch.float32))

    def kernel(embedding_ND: Tensor, with_gradient: bool) -> LossAndGradient:
        return _mean_and_gradient(embedding_ND, sides, block_terms, with_gradient)

    with torch.autocast(embedding_ND.device.type, enabled=False):
        return with_gradient_in_forward(embedding_ND, kernel)


def _mean_and_gradient(
    embedding_ND: Tensor,
    sides: Sequence[tuple[slice, slice]],
    block_terms: BlockTerms,
    with_gradient: bool,
) -> LossAndGradient:
    total = embedding_ND.new_zeros(())
    term_count = torch.zeros((), dtype=torch.int64, device=embedding_ND.device)
    gradient_ND = torch.zeros_like(embedding_ND) if with_gradient else None
    for anchors, candidates in sides:
        anchor_MD, candidate_CD = embedding_ND[anchors], embedding_ND[candidates]
        position_M = torch.arange(len(anchor_MD), device=embedding_ND.device)
        for start in range(0, len(anchor_MD), ROWS):
            rows = slice(start, start + ROWS)
            distance_RC = pairwise(anchor_MD[rows], candidate_CD)
            with torch.set_grad_enabled(with_gradient):
                distance_RC.requires_grad_(with_gradient)
                block_sum, block_count = block_terms(distance_RC, position_M[rows])
            total += block_sum.detach()
            term_count += block_count
            if gradient_ND is not None:
                (slope_RC,) = torch.autograd.grad(block_sum, distance_RC)
                # d = 1 - anchor . candidate, hence the minus signs.
                gradient_ND[anchors][rows].addmm_(slope_RC, candidate_CD, alpha=-1)
                gradient_ND[candidates].addmm_(slope_RC.T, anchor_MD[rows], alpha=-1)
    divisor = term_count.clamp(min=1)
    if gradient_ND is not None:
        gradient_ND.div_(divisor)
    return total / divisor, gradient_ND
