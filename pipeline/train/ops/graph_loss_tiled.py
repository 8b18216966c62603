"""Graph loss and its gradient in one pass over tiles of the pair matrix, in plain torch.

The pair matrix is symmetric, so every unordered pair of items is visited once: the tiles are the
diagonal blocks and what lies below them. That is half a matrix product for the similarities and
one for the gradient, 1.5 instead of the 3 that autograd needs, in O(N * (D + block)) memory.
Where processes share the rows, only a process's own pairs can be visited once for both items.

Shape letters: N embeddings, O own ones, D embedding, K classes, R items of a row block, C items of
a column block (a tile is stored [C, R]).
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from pipeline.train.loss_settings import Precision, Relaxation
from pipeline.train.ops.gradient_in_forward import LossAndGradient

# Few rows keep the diagonal blocks, half of which is wasted, small; many columns keep the number
# of calls and thread barriers small. A float32 tile (2 MiB) still fits in the cache, where the
# element-wise steps cost about 1 % of its matrix products. COLUMNS is at least ROWS.
ROWS = 256
COLUMNS = 2048


def tiled_graph_loss(
    embedding_ND: Tensor,
    label_N: Tensor,
    adjacency_KK: Tensor,
    *,
    margin: float,
    relaxation: Relaxation,
    precision: Precision,
    with_gradient: bool,
    own: int | None = None,
) -> LossAndGradient:
    """Graph loss and d loss / d embedding, each unordered pair of items visited once.

        L = 1 / N^2 * sum_mn w_mn^2,   dL / d embedding_m = 4 / N^2 * sum_n w_mn * embedding_n

    where w_mn is minus the residual of the pair (A - d, or 0 where the relaxation drops the pair).

    Args:
        embedding_ND: [N, D] float32 or float64, rows of unit norm.
        label_N: [N] int64 in [0, K).
        adjacency_KK: [K, K] of the embedding's dtype, symmetric.
        margin: zeta.
        relaxation: Which pairs count.
        precision: "bf16" rounds embeddings, similarities and w to bfloat16 for the products.
        with_gradient: Whether the gradient, two thirds of the work, is computed.
        own: O, of which rows m the sums are made, the first ones; None: of all.

    Returns:
        The part of the loss whose m is an own row, so that the parts of all processes add up to
        it; and [O, D] the gradient of the whole loss with respect to the own rows.
    """
    count = len(embedding_ND)
    own = count if own is None else own
    embedding_ND = embedding_ND.contiguous()  # once, or every product would copy
    operand_ND = embedding_ND.bfloat16() if precision == "bf16" else embedding_ND
    gradient_OD = torch.zeros_like(embedding_ND[:own]) if with_gradient else None
    buffers = embedding_ND.new_empty(2, min(count, COLUMNS) * min(count, ROWS))
    square_sums = []
    for rows in _spans(0, own, ROWS):
        tables_KR = _pair_tables(adjacency_KK, label_N[rows], margin, relaxation)
        own_columns = (rows, *_spans(rows.stop, own, COLUMNS))
        for columns in (*own_columns, *_spans(own, count, COLUMNS)):
            shape = columns.stop - columns.start, rows.stop - rows.start
            weight_CR, scratch_CR = (b[: math.prod(shape)].view(shape) for b in buffers)
            _multiply(operand_ND[columns], operand_ND[rows].T, out=weight_CR)
            _similarity_to_weight_(
                weight_CR, scratch_CR, tables_KR, label_N[columns], margin, relaxation
            )
            flat_weight = weight_CR.view(-1)
            mirrored = columns != rows and columns.start < own
            square_sums.append(torch.dot(flat_weight, flat_weight) * (2 if mirrored else 1))
            if gradient_OD is not None:
                factor_CR = weight_CR.to(operand_ND.dtype)
                _add_product_(gradient_OD[rows], factor_CR.T, operand_ND[columns])
                if mirrored:
                    _add_product_(gradient_OD[columns], factor_CR, operand_ND[rows])
    if gradient_OD is not None:
        gradient_OD.mul_(4 / count**2)
    return torch.stack(square_sums).sum() / count**2, gradient_OD


def _spans(start: int, stop: int, size: int) -> Iterator[slice]:
    for first in range(start, stop, size):
        yield slice(first, min(first + size, stop))


def _pair_tables(
    adjacency_KK: Tensor, label_R: Tensor, margin: float, relaxation: Relaxation
) -> list[Tensor]:
    """What a row block's pairs need to know about the other item's class, one row per class.

    Whole rows are picked, here and per tile, as that is a plain memory copy; picking columns of a
    large adjacency is several times slower.
    """
    target_KR = adjacency_KK.index_select(0, label_R).T.contiguous()
    if relaxation == "paper":
        return [target_KR.masked_fill_(target_KR >= margin, -math.inf)]
    if relaxation == "hinge":
        floor_KR = torch.zeros_like(target_KR).masked_fill_(target_KR < margin, -math.inf)
        return [target_KR.clamp_(max=margin), floor_KR]
    return [target_KR]


def _similarity_to_weight_(
    tile_CR: Tensor,
    scratch_CR: Tensor,
    tables_KR: list[Tensor],
    label_C: Tensor,
    margin: float,
    relaxation: Relaxation,
) -> None:
    """Overwrite similarities by w = A - d, or 0 where the pair does not count; NaN stays NaN."""
    tile_CR.sub_(1)  # now -d, rounded exactly as the reference rounds 1 - similarity
    if relaxation == "paper":
        # Dropped pairs, by distance here and by class in the table, become -inf and then 0.
        torch.threshold_(tile_CR, -margin, -math.inf)
    tile_CR.add_(torch.index_select(tables_KR[0], 0, label_C, out=scratch_CR))
    if relaxation == "paper":
        torch.threshold_(tile_CR, torch.finfo(tile_CR.dtype).min, 0.0)
    elif relaxation == "hinge":
        # Classes at least the margin apart only push: w = max(margin - d, 0).
        floor_CR = torch.index_select(tables_KR[1], 0, label_C, out=scratch_CR)
        torch.maximum(tile_CR, floor_CR, out=tile_CR)


def _multiply(left: Tensor, right: Tensor, *, out: Tensor) -> None:
    if left.dtype == out.dtype:
        torch.mm(left, right, out=out)
    else:
        out.copy_(torch.mm(left, right))


def _add_product_(total: Tensor, left: Tensor, right: Tensor) -> None:
    """Add left @ right; sums over tiles stay in the total's dtype."""
    if left.dtype == total.dtype:
        total.addmm_(left, right)
    else:
        total.add_(torch.mm(left, right))
