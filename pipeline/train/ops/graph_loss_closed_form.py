"""Graph loss without relaxation in O(N * D^2 + K^2 * D), with no pair of items ever formed.

Shape letters: N embeddings, D embedding, K classes.
"""

import torch
from torch import Tensor

from pipeline.core.distance import pairwise
from pipeline.train.ops.gradient_in_forward import LossAndGradient


def closed_form_graph_loss(
    embedding_ND: Tensor, label_N: Tensor, adjacency_KK: Tensor, *, with_gradient: bool
) -> LossAndGradient:
    """Graph loss over all pairs (HUSE eq. 9) and d loss / d embedding, exact for symmetric A.

    Every embedding is its class's mean plus a deviation, e_n = mean_k + r_n, and the deviations of
    a class add up to zero. So all mixed terms of the sum over pairs vanish and three remain, with
    c_k the size of class k, G = sum_n r_n r_n^T, M = sum_k c_k mean_k mean_k^T and
    a_kl = A_kl - d(mean_k, mean_l):

        N^2 * L = sum_kl c_k c_l a_kl^2 + 2 * <M, G> + ||G||_F^2
        dL / d e_n = 4 / N^2 * [sum_l c_l a_kl mean_l + G mean_k + (M + G) r_n],  k = y_n

    None of the three is negative, so nothing cancels. The shorter form ||E^T E||^2 - 2 <B, S S^T>
    + const (S class sums, B = 1 - A) subtracts numbers near 1 and loses a trained loss's digits.

    Args:
        embedding_ND: [N, D] float32 or float64, rows of unit norm.
        label_N: [N] int64 in [0, K).
        adjacency_KK: [K, K] of the embedding's dtype, symmetric.
        with_gradient: Whether the gradient is computed.
    """
    count = len(embedding_ND)
    size_K = embedding_ND.new_zeros(len(adjacency_KK))
    size_K.index_add_(0, label_N, torch.ones_like(label_N, dtype=embedding_ND.dtype))
    mean_KD = embedding_ND.new_zeros(len(adjacency_KK), embedding_ND.shape[1])
    mean_KD.index_add_(0, label_N, embedding_ND)
    mean_KD.div_(size_K.clamp(min=1)[:, None])  # the mean of an absent class is never used
    deviation_ND = embedding_ND - mean_KD[label_N]
    within_DD = deviation_ND.T @ deviation_ND
    between_DD = mean_KD.T @ (size_K[:, None] * mean_KD)
    difference_KK = adjacency_KK - pairwise(mean_KD, mean_KD)

    class_term = size_K @ difference_KK.square() @ size_K
    loss = (class_term + 2 * (between_DD * within_DD).sum() + within_DD.square().sum()) / count**2
    if not with_gradient:
        return loss, None
    gradient_KD = (difference_KK * size_K) @ mean_KD + mean_KD @ within_DD
    gradient_ND = gradient_KD[label_N].addmm_(deviation_ND, between_DD + within_DD)
    return loss, gradient_ND.mul_(4 / count**2)
