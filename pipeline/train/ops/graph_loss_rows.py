"""A process's share of the graph loss: its own rows of the pair matrix, in tiles.

Where several processes train together, each has the gradient of its own embeddings to compute, and
no other. The symmetry that `graph_loss_tiled` uses would take all rows: 1.5 N^2 products, here it
is 2 N^2 divided by the number of processes.

Shape letters: N embeddings, D embedding, K classes, S own rows, R own rows of a block, C items of
a column block (a tile is stored [C, R]).
"""

import math

import torch
from torch import Tensor

from pipeline.train.loss_settings import Precision, Relaxation
from pipeline.train.ops.gradient_in_forward import LossAndGradient
from pipeline.train.ops.graph_loss_tiled import (
    COLUMNS,
    ROWS,
    add_product_,
    multiply,
    pair_tables,
    similarity_to_weight_,
    spans,
)


def rows_graph_loss(
    embedding_ND: Tensor,
    label_N: Tensor,
    adjacency_KK: Tensor,
    own_S: Tensor,
    *,
    margin: float,
    relaxation: Relaxation,
    precision: Precision,
    with_gradient: bool,
) -> LossAndGradient:
    """Part of the graph loss, and d whole loss / d embedding of the own rows.

        part = 1 / N^2 * sum over own m and all n of w_mn^2
        dL / d embedding_m = 4 / N^2 * sum_n w_mn * embedding_n,  m own; 0 for the others

    The parts of all processes add up to the loss; for the rest see `tiled_graph_loss`.

    Args:
        embedding_ND: [N, D] float32 or float64, rows of unit norm.
        label_N: [N] int64 in [0, K).
        adjacency_KK: [K, K] of the embedding's dtype, symmetric.
        own_S: [S] int64, different rows of the embedding.
        margin: zeta.
        relaxation: Which pairs count.
        precision: "bf16" rounds embeddings, similarities and w to bfloat16 for the products.
        with_gradient: Whether the gradient, half of the work, is computed.
    """
    count, own_count = len(embedding_ND), len(own_S)
    embedding_ND = embedding_ND.contiguous()
    operand_ND = embedding_ND.bfloat16() if precision == "bf16" else embedding_ND
    own_SD, own_label_S = operand_ND[own_S], label_N[own_S]
    gradient_SD = embedding_ND.new_zeros(own_count, embedding_ND.shape[1])
    buffers = embedding_ND.new_empty(2, min(count, COLUMNS) * min(own_count, ROWS))
    square_sums = []
    for rows in spans(0, own_count, ROWS):
        tables_KR = pair_tables(adjacency_KK, own_label_S[rows], margin, relaxation)
        for columns in spans(0, count, COLUMNS):
            shape = columns.stop - columns.start, rows.stop - rows.start
            weight_CR, scratch_CR = (b[: math.prod(shape)].view(shape) for b in buffers)
            multiply(operand_ND[columns], own_SD[rows].T, out=weight_CR)
            similarity_to_weight_(
                weight_CR, scratch_CR, tables_KR, label_N[columns], margin, relaxation
            )
            square_sums.append(weight_CR.square().sum())
            if with_gradient:
                factor_CR = weight_CR.to(operand_ND.dtype)
                add_product_(gradient_SD[rows], factor_CR.T, operand_ND[columns])
    part = torch.stack(square_sums).sum() / count**2
    if not with_gradient:
        return part, None
    gradient_ND = torch.zeros_like(embedding_ND)
    gradient_ND[own_S] = gradient_SD.mul_(4 / count**2)
    return part, gradient_ND
