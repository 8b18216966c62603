"""Softmax denominators of all pairs, of which each process computes its own rows.

Shape letters: N embeddings of the global batch, O those of this process, D embedding.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from pipeline.train.world import World, gather_rows


def shared_log_sums(embedding_ND: Tensor, temperature: float, world: World) -> Tensor:
    """Compute log of the sum over all n but a of exp(s_an / t), for every a.

    The pair matrix is symmetric. So the similarities of own rows are those of own columns too, and
    with the sums of all rows, which the processes exchange, they give the complete gradient of the
    own embeddings, whatever a loss makes of the sums of others.

    Args:
        embedding_ND: [N, D] float32 or float64, rows of unit norm, N >= 2; the same everywhere,
            pictures and then texts as `gather_output` puts them together. The rows of other
            processes get a gradient of 0.
        temperature: t.
        world: The processes.

    Returns:
        [N], the same on all processes. It can be differentiated once.
    """
    log_sum_N: Tensor = _SharedLogSums.apply(embedding_ND, temperature, world)
    return log_sum_N


class _SharedLogSums(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, embedding_ND: Tensor, temperature: float, world: World) -> Tensor:
        order_N, own = world.own_first(len(embedding_ND), embedding_ND.device)
        own_O = order_N[:own]
        similarity_ON = embedding_ND[own_O] @ embedding_ND.T / temperature
        lowest = torch.finfo(similarity_ON.dtype).min
        similarity_ON.scatter_(1, own_O[:, None], lowest)  # nothing is compared with itself
        log_sum_N = gather_rows(similarity_ON.logsumexp(dim=1), len(embedding_ND), world)
        ctx.save_for_backward(embedding_ND, own_O, similarity_ON, log_sum_N)
        ctx.temperature = temperature
        return log_sum_N

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream_N: Tensor) -> tuple[Tensor, None, None]:
        embedding_ND, own_O, similarity_ON, log_sum_N = ctx.saved_tensors
        # As an anchor, by the softmax of its row; as one of the others, by that of theirs.
        weight_ON = (similarity_ON - log_sum_N[own_O, None]).exp_().mul_(upstream_N[own_O, None])
        weight_ON += (similarity_ON - log_sum_N).exp_().mul_(upstream_N)
        gradient_OD = weight_ON @ embedding_ND / ctx.temperature
        gradient_ND = torch.zeros_like(embedding_ND).index_copy_(0, own_O, gradient_OD)
        gradient_of_temperature = gradient_of_world = None
        return gradient_ND, gradient_of_temperature, gradient_of_world
