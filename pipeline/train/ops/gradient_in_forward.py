"""One autograd function for losses that know their gradient as soon as they know their value.

A scalar loss has one number as its upstream gradient. So a kernel may compute d loss / d embedding
while it computes the loss, in the same pass over its tiles, and backward is one multiplication:
nothing quadratic is kept for it and no tile is computed twice.

Shape letters: N embeddings, D embedding.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

LossAndGradient = tuple[Tensor, Tensor | None]
"""A scalar, and its gradient [N, D] with respect to the embedding (None where not asked for)."""


class _GradientInForward(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx, embedding_ND: Tensor, kernel: Callable[[Tensor], LossAndGradient]
    ) -> Tensor:
        loss, gradient_ND = kernel(embedding_ND)
        assert gradient_ND is not None
        ctx.save_for_backward(gradient_ND)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, upstream: Tensor) -> tuple[Tensor, None]:
        (gradient_ND,) = ctx.saved_tensors  # type: ignore[attr-defined]
        gradient_of_embedding_ND = gradient_ND * upstream
        gradient_of_kernel = None
        return gradient_of_embedding_ND, gradient_of_kernel


def with_gradient_in_forward(
    embedding_ND: Tensor, kernel: Callable[[Tensor, bool], LossAndGradient]
) -> Tensor:
    """Make a kernel's value differentiable by the gradient that the kernel itself returns.

    Args:
        embedding_ND: [N, D] float; the only input that receives a gradient.
        kernel: Called once, without autograd, with the embedding and whether a gradient is wanted;
            returns the scalar loss and, if wanted, d loss / d embedding [N, D].

    Returns:
        The scalar loss. It can be differentiated once: a second derivative raises RuntimeError.
    """
    if torch.is_grad_enabled() and embedding_ND.requires_grad:
        return _GradientInForward.apply(embedding_ND, lambda embedding: kernel(embedding, True))
    with torch.no_grad():
        loss, _ = kernel(embedding_ND, False)
    return loss
