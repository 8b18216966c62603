"""Semantic graph loss: distances between embeddings follow the distances between class names.

Shape letters: N embeddings (both modalities together), O those of this process, D embedding,
K classes.
"""

import importlib.util
import os
from collections.abc import Callable
from functools import partial
from typing import get_args

import torch
from torch import Tensor

from pipeline.core.distance import pairwise
from pipeline.core.errors import InputError
from pipeline.core.machine import Kernel
from pipeline.train.loss_settings import Precision, Relaxation
from pipeline.train.losses.labels import check_labels_on_cpu
from pipeline.train.ops.gradient_in_forward import LossAndGradient, with_gradient_in_forward
from pipeline.train.ops.graph_loss_closed_form import closed_form_graph_loss
from pipeline.train.ops.graph_loss_tiled import tiled_graph_loss
from pipeline.train.world import ALONE, World, sum_of_all


def graph_loss(
    embedding_ND: Tensor,
    label_N: Tensor,
    adjacency_KK: Tensor,
    *,
    margin: float,
    relaxation: Relaxation = "paper",
    kernel: Kernel = "auto",
    precision: Precision = "fp32",
    world: World = ALONE,
) -> Tensor:
    """Semantic graph loss over all ordered pairs of embeddings (HUSE eq. 9 to 11).

        L_graph = 1 / N^2 * sum_mn residual_mn^2

    with d = d(embedding_m, embedding_n), A = adjacency[y_m, y_n] and, by relaxation,

        none   residual = d - A                                                        (eq. 9)
        paper  residual = sigma * (d - A),  sigma = 1 if A < margin and d < margin else 0
               (eq. 10-11; sigma is a constant in the backward pass)
        hinge  residual = d - A if A < margin else min(d - margin, 0)

    `hinge` is what the sentence above eq. 10 asks for: classes closer than the margin keep their
    distance, all others end at least the margin apart. `paper` gives the latter pairs no gradient.

    The loss is computed in float32 (float64 for a float64 embedding) whatever autocast says; a
    half-precision embedding is converted first. The gradient reaches the embedding alone.

    Args:
        embedding_ND: [N, D] float, rows of unit norm, N >= 1.
        label_N: [N] int64 in [0, K); on the CPU they are checked.
        adjacency_KK: [K, K] float, cosine distances between class names, in [0, 2], symmetric.
        margin: zeta, a distance.
        relaxation: Which pairs count, see above.
        kernel: "reference" is the definition and needs O(N^2) memory. "tiled" (CPU and GPU) and
            "triton" (CUDA, or Triton's interpreter) never form the pair matrix and compute the
            gradient in the forward pass, so they can be differentiated once. "auto" takes of
            these: the closed form for relaxation "none" where that is cheaper, else "triton" for
            float32 on CUDA (NVIDIA's since Ampere) where Triton is installed, else "tiled".
        precision: "bf16" rounds the operands of the matrix products to bfloat16 (not in the
            reference and closed form). At N = 2,048, D = 512 the relative error of the gradient is
            1e-3 for "none" and "hinge" and 1.5e-2 for "paper", where pairs at the margin flip.
        world: Processes that have the same embeddings, the first half of them pictures and the
            second half texts, of which each needs the gradient of its share alone. "tiled" and
            "triton" then compute no other, and the processes exchange the parts of the loss; other
            kernels compute everything everywhere.

    Returns:
        Scalar >= 0, divided by N^2 and not by the number of pairs that count, as in the paper; the
        same on all processes.

    Raises:
        InputError: The kernel cannot run on these tensors or on this machine.
        ValueError: A shape, a name or a label is wrong.
    """
    _check_name("relaxation", relaxation, get_args(Relaxation))
    _check_name("kernel", kernel, get_args(Kernel))
    _check_name("precision", precision, get_args(Precision))
    _check_shapes(embedding_ND, label_N, adjacency_KK)
    check_labels_on_cpu(label_N, len(adjacency_KK))
    embedding_ND = embedding_ND.to(torch.promote_types(embedding_ND.dtype, torch.float32))
    adjacency_KK = adjacency_KK.to(embedding_ND.dtype)
    chosen: str = kernel
    if kernel == "auto":
        chosen = _fastest_kernel(embedding_ND, len(adjacency_KK), relaxation, world)
    with torch.autocast(embedding_ND.device.type, enabled=False):
        if chosen == "reference":
            if precision != "fp32":
                raise ValueError(f"kernel 'reference' has precision 'fp32' only, got {precision!r}")
            return reference_graph_loss(
                embedding_ND, label_N, adjacency_KK, margin=margin, relaxation=relaxation
            )
        fused = _fused_kernel(
            chosen, margin=margin, relaxation=relaxation, precision=precision, world=world
        )
        return with_gradient_in_forward(
            embedding_ND,
            lambda embedding, with_gradient: fused(
                embedding, label_N, adjacency_KK, with_gradient=with_gradient
            ),
        )


def reference_graph_loss(
    embedding_ND: Tensor,
    label_N: Tensor,
    adjacency_KK: Tensor,
    *,
    margin: float,
    relaxation: Relaxation,
) -> Tensor:
    """The definition of `graph_loss`, written as its equations read; needs O(N^2) memory."""
    target_NN = adjacency_KK[label_N][:, label_N]
    distance_NN = pairwise(embedding_ND, embedding_ND)
    residual_NN = distance_NN - target_NN
    if relaxation == "paper":
        # A product and not a selection, so that a NaN distance reaches the loss.
        residual_NN = residual_NN * ((target_NN < margin) & (distance_NN < margin))
    elif relaxation == "hinge":
        too_near_NN = (distance_NN - margin).clamp(max=0.0)
        residual_NN = torch.where(target_NN < margin, residual_NN, too_near_NN)
    return residual_NN.square().mean()


def check_kernel(kernel: str, device: torch.device) -> None:
    """Refuse a kernel that cannot run, before a training run overwrites anything.

    Raises:
        InputError: Triton is asked for away from CUDA, and not in its interpreter.
    """
    if kernel == "triton" and device.type != "cuda" and not os.environ.get("TRITON_INTERPRET"):
        raise InputError(
            f"machine.kernel: triton needs CUDA, training runs on {device.type}; use tiled or auto"
        )


def _fastest_kernel(
    embedding_ND: Tensor, classes: int, relaxation: Relaxation, world: World
) -> str:
    count, dim = embedding_ND.shape
    own = count // world.size
    # Multiplications per feature: 2 * (N * D + K^2) in the closed form; in tiles 1.5 for a pair of
    # own rows, 2 for one with another's, hence 1.5 * N^2 of a process alone.
    if relaxation == "none" and 4 * (count * dim + classes**2) < own * (4 * count - own):
        return "closed_form"
    return "triton" if _has_tensor_cores(embedding_ND) else "tiled"


def _has_tensor_cores(embedding_ND: Tensor) -> bool:
    """Whether the Triton kernel was made for where the embeddings are."""
    if not (embedding_ND.is_cuda and embedding_ND.dtype == torch.float32):
        return False
    if importlib.util.find_spec("triton") is None:
        return False
    # On NVIDIA's before Ampere there is no TF32, and less memory than its tiles need.
    is_nvidia = torch.version.hip is None
    return not is_nvidia or torch.cuda.get_device_capability(embedding_ND.device) >= (8, 0)


def _fused_kernel(
    name: str, *, margin: float, relaxation: Relaxation, precision: Precision, world: World
) -> Callable[..., LossAndGradient]:
    if name == "closed_form":
        return closed_form_graph_loss
    kernel = tiled_graph_loss
    if name == "triton":
        if importlib.util.find_spec("triton") is None:
            raise InputError("machine.kernel: triton needs the package triton; use tiled or auto")
        # Imported only here, because Triton is published for Linux alone.
        from pipeline.train.ops.graph_loss_triton import triton_graph_loss

        kernel = triton_graph_loss
    fused = partial(kernel, margin=margin, relaxation=relaxation, precision=precision)
    return fused if world.size == 1 else partial(_shared_graph_loss, fused, world)


def _shared_graph_loss(
    fused: Callable[..., LossAndGradient],
    world: World,
    embedding_ND: Tensor,
    label_N: Tensor,
    adjacency_KK: Tensor,
    *,
    with_gradient: bool,
) -> LossAndGradient:
    """The whole loss, of which this process computes its rows; gradients of others are 0."""
    order_N, own = world.own_first(len(label_N), label_N.device)
    loss, gradient_OD = fused(
        embedding_ND[order_N], label_N[order_N], adjacency_KK, with_gradient=with_gradient, own=own
    )
    loss = sum_of_all(loss, world)
    if gradient_OD is None:
        return loss, None
    return loss, torch.zeros_like(embedding_ND).index_copy_(0, order_N[:own], gradient_OD)


def _check_name(key: str, given: str, allowed: tuple[str, ...]) -> None:
    if given not in allowed:
        raise ValueError(f"{key} {given!r} is not one of {', '.join(allowed)}")


def _check_shapes(embedding_ND: Tensor, label_N: Tensor, adjacency_KK: Tensor) -> None:
    rows_match = embedding_ND.ndim == 2 and label_N.shape == embedding_ND.shape[:1]
    is_square = adjacency_KK.ndim == 2 and adjacency_KK.shape[0] == adjacency_KK.shape[1]
    if not (rows_match and is_square and len(embedding_ND) > 0):
        raise ValueError(
            "need embedding [N, D] with N >= 1, label [N] and adjacency [K, K], got "
            f"{tuple(embedding_ND.shape)}, {tuple(label_N.shape)}, {tuple(adjacency_KK.shape)}"
        )
