"""Graph loss and its gradient in one Triton kernel, for CUDA.

Shaped like FlashAttention: a program owns a block of rows (and a slice of the gradient's columns),
walks over all column blocks, and keeps what it sums in registers. Nothing is shared between
programs, so there are no atomics and equal inputs give equal bits.

Shape letters: N embeddings, D embedding, K classes, R rows of a program, C items of a column block,
F features of a gradient slice, P row blocks, O own embeddings.
"""
# mypy: disable-error-code="no-untyped-def"
# Kernel arguments are pointers and Triton's own scalars, which Python types do not describe.

from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

from pipeline.core.errors import InputError
from pipeline.train.loss_settings import Precision, Relaxation
from pipeline.train.ops.gradient_in_forward import LossAndGradient


class Tile(NamedTuple):
    """Sizes of a program's work, chosen on an H100 by benchmarks/graph_loss.py."""

    rows: int
    columns: int
    chunk: int
    """Features that a similarity is summed over at a time."""
    most_features: int
    """Of a slice of the gradient."""
    warps: int
    stages: int


# Compiled for sm_80 these need at most 80 KiB of shared memory (every GPU since Ampere has 99), for
# sm_90, which has 227, at most 128.
TILES: dict[Precision, Tile] = {
    "fp32": Tile(rows=64, columns=64, chunk=64, most_features=256, warps=4, stages=2),
    "bf16": Tile(rows=64, columns=128, chunk=64, most_features=256, warps=8, stages=3),
}
MULTIPLY = "tf32x3" if torch.version.hip is None else "ieee"
"""How float32 is multiplied. NVIDIA's tensor cores take each product as three in TF32, which
rounds nearly as float32 does; Triton's plain float32 was 19 times slower on an H100."""
# tl.dot accepts no side below 16.
MIN_SLICE = 16


def triton_graph_loss(
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
    """Graph loss and d loss / d embedding in one kernel launch.

    Args:
        embedding_ND: [N, D] float32, rows of unit norm, on CUDA; on the CPU only where Triton was
            imported with TRITON_INTERPRET=1.
        label_N: [N] int64 in [0, K), not checked: a label outside makes the loss NaN.
        adjacency_KK: [K, K] float32, symmetric.
        margin: zeta.
        relaxation: Which pairs count.
        precision: "fp32" multiplies as MULTIPLY says, not in plain TF32; "bf16" rounds embeddings
            and residuals to bfloat16 and sums in float32.
        with_gradient: Whether the gradient is computed.
        own: O, of which rows the sums are made, the first ones; None: of all.

    Returns:
        As `tiled_graph_loss`: the own rows' part of the loss, and [O, D] the gradient of the whole
        loss with respect to these.

    Raises:
        InputError: The embedding is not float32, or not on a device that Triton can use.
    """
    interpreted = not isinstance(_graph_loss_kernel, triton.JITFunction)
    if embedding_ND.dtype != torch.float32:
        raise InputError(
            f"machine.kernel: triton needs float32, got {embedding_ND.dtype}; use tiled"
        )
    if not (embedding_ND.is_cuda or interpreted):
        raise InputError(
            "machine.kernel: triton needs CUDA, "
            f"the embeddings are on {embedding_ND.device}; use tiled"
        )
    count, dim = embedding_ND.shape
    own = count if own is None else own
    tile = TILES[precision]
    operand_ND = embedding_ND.to(torch.bfloat16 if precision == "bf16" else torch.float32)
    features = min(max(triton.next_power_of_2(dim), MIN_SLICE), tile.most_features)
    gradient_OD = embedding_ND.new_empty(own, dim)
    square_sum_P = embedding_ND.new_empty(triton.cdiv(own, tile.rows))
    slices = triton.cdiv(dim, features) if with_gradient else 1
    _graph_loss_kernel[(len(square_sum_P), slices)](
        operand_ND.contiguous(),
        label_N.contiguous(),
        adjacency_KK.contiguous(),
        gradient_OD,
        square_sum_P,
        count,
        own,
        len(adjacency_KK),
        float(margin),
        -4 / count**2,
        DIM=dim,
        RELAXATION=relaxation,
        WITH_GRADIENT=with_gradient,
        ROWS=tile.rows,
        COLUMNS=tile.columns,
        CHUNK=min(tile.chunk, features),
        FEATURES=features,
        MULTIPLY=MULTIPLY,
        INTERPRETED=interpreted,
        num_warps=tile.warps,
        num_stages=tile.stages,
    )
    return square_sum_P.sum() / count**2, gradient_OD if with_gradient else None


@triton.jit
def _load_rows(base_ND, item_R, feature_F, count, DIM: tl.constexpr, INTERPRETED: tl.constexpr):
    """Rows of the embedding restricted to some features, 0 outside."""
    offset_RF = item_R.to(tl.int64)[:, None] * DIM + feature_F[None, :]
    inside_RF = (item_R < count)[:, None] & (feature_F < DIM)[None, :]
    values_RF = tl.load(base_ND + offset_RF, mask=inside_RF, other=0.0)
    if INTERPRETED:
        # The interpreter's tl.dot multiplies the raw bits of bfloat16.
        values_RF = values_RF.to(tl.float32)
    return values_RF


@triton.jit
def _pair_residual(distance_RC, target_RC, margin, RELAXATION: tl.constexpr):
    residual_RC = distance_RC - target_RC
    if RELAXATION == "paper":
        # Written by what is dropped, so that a NaN distance is kept and reaches the loss.
        dropped_RC = (target_RC >= margin) | (distance_RC >= margin)
        residual_RC = tl.where(dropped_RC, 0.0, residual_RC)
    elif RELAXATION == "hinge":
        too_near_RC = tl.minimum(distance_RC - margin, 0.0)
        residual_RC = tl.where(target_RC < margin, residual_RC, too_near_RC)
    return residual_RC


@triton.jit
def _graph_loss_kernel(
    embedding_ND,
    label_N,
    adjacency_KK,
    gradient_OD,
    square_sum_P,
    count,
    own,
    classes,
    margin,
    gradient_scale,
    DIM: tl.constexpr,
    RELAXATION: tl.constexpr,
    WITH_GRADIENT: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    CHUNK: tl.constexpr,
    FEATURES: tl.constexpr,
    MULTIPLY: tl.constexpr,
    INTERPRETED: tl.constexpr,
):
    block = tl.program_id(0)
    row_R = block * ROWS + tl.arange(0, ROWS)
    feature_F = tl.program_id(1) * FEATURES + tl.arange(0, FEATURES)
    row_label_R = tl.load(label_N + row_R, mask=row_R < own, other=0)
    known_R = (row_label_R >= 0) & (row_label_R < classes)
    square_R = tl.zeros([ROWS], dtype=tl.float32)
    pull_RF = tl.zeros([ROWS, FEATURES], dtype=tl.float32)

    for start in range(0, count, COLUMNS):
        column_C = start + tl.arange(0, COLUMNS)
        similarity_RC = tl.zeros([ROWS, COLUMNS], dtype=tl.float32)
        for first in range(0, DIM, CHUNK):
            chunk_F = first + tl.arange(0, CHUNK)
            rows_RF = _load_rows(embedding_ND, row_R, chunk_F, own, DIM, INTERPRETED)
            columns_CF = _load_rows(embedding_ND, column_C, chunk_F, count, DIM, INTERPRETED)
            similarity_RC = tl.dot(
                rows_RF, tl.trans(columns_CF), similarity_RC, input_precision=MULTIPLY
            )
        inside_RC = (row_R < own)[:, None] & (column_C < count)[None, :]
        column_label_C = tl.load(label_N + column_C, mask=column_C < count, other=0)
        known_C = (column_label_C >= 0) & (column_label_C < classes)
        known_RC = known_R[:, None] & known_C[None, :]
        offset_RC = row_label_R[:, None] * classes + column_label_C[None, :]
        target_RC = tl.load(adjacency_KK + offset_RC, mask=inside_RC & known_RC, other=0.0)
        residual_RC = _pair_residual(1.0 - similarity_RC, target_RC, margin, RELAXATION)
        residual_RC = tl.where(known_RC, residual_RC, float("nan"))
        residual_RC = tl.where(inside_RC, residual_RC, 0.0)
        square_R += tl.sum(residual_RC * residual_RC, axis=1)
        if WITH_GRADIENT:
            columns_CF = _load_rows(embedding_ND, column_C, feature_F, count, DIM, INTERPRETED)
            # The first conversion rounds as the product's operands are rounded, the second is for
            # the interpreter, see _load_rows.
            rounded_RC = residual_RC.to(embedding_ND.dtype.element_ty)
            factor_RC = rounded_RC.to(columns_CF.dtype)
            pull_RF = tl.dot(factor_RC, columns_CF, pull_RF, input_precision=MULTIPLY)

    if tl.program_id(1) == 0:
        tl.store(square_sum_P + block, tl.sum(square_R, axis=0))
    if WITH_GRADIENT:
        offset_RF = row_R.to(tl.int64)[:, None] * DIM + feature_F[None, :]
        inside_RF = (row_R < own)[:, None] & (feature_F < DIM)[None, :]
        tl.store(gradient_OD + offset_RF, pull_RF * gradient_scale, mask=inside_RF)
