"""Contrast over class paths: embeddings that share more of their path are nearer.

Shape letters: N embeddings (both modalities together), D embedding, K classes, L levels.
"""

import torch
from torch import Tensor

from pipeline.train.losses.labels import check_labels_on_cpu
from pipeline.train.ops.shared_log_sums import shared_log_sums
from pipeline.train.world import ALONE, World


def path_contrast(
    embedding_ND: Tensor,
    label_N: Tensor,
    level_KL: Tensor,
    *,
    temperature: float,
    world: World = ALONE,
) -> Tensor:
    """One supervised contrastive loss per level of the class path, weighted by level.

        L = sum_l w_l * 1 / N * sum_a -1 / |P_l(a)| * sum over p in P_l(a) of log q(p | a)
        q(p | a) = exp(s_ap / t) / sum over all n but a of exp(s_an / t),   w_l = l / (1 + ... + L)

    P_l(a) are the other embeddings whose class has a's prefix at level l; an anchor without any
    adds 0. This is L_out of Khosla et al. 2020 at every level, and the sum over levels that Zhang
    et al. 2022 (Use All The Labels, eq. 4) have, with weights that grow with the level in place of
    theirs and without their constraint between levels. Where L_graph leaves far classes alone,
    here every pair counts.

    It forms one [N, N] matrix, whatever L is; with several processes each forms its own rows.

    Args:
        embedding_ND: [N, D] float, rows of unit norm.
        label_N: [N] int64 in [0, K); on the CPU they are checked.
        level_KL: [K, L] int64, the prefix that a class has at each level, the coarsest first; see
            `class_levels`.
        temperature: t, by which similarities are divided.
        world: Processes that have the same embeddings, the first half of them pictures and the
            second half texts, of which each needs the gradient of its share alone.

    Returns:
        Scalar >= 0; 0 where no two embeddings share a prefix.
    """
    check_labels_on_cpu(label_N, len(level_KL))
    embedding_ND = embedding_ND.to(torch.promote_types(embedding_ND.dtype, torch.float32))
    if world.size == 1:
        log_sum_N = _log_sums(embedding_ND, temperature)
    else:
        log_sum_N = shared_log_sums(embedding_ND, temperature, world)
    levels = level_KL.shape[1]
    total = embedding_ND.new_zeros(())
    for level, prefix_K in enumerate(level_KL.unbind(dim=1), start=1):
        prefix_N = prefix_K[label_N]
        # The mean similarity to a set is that to the set's sum: no matrix of pairs per level.
        sum_KD = embedding_ND.new_zeros(len(prefix_K), embedding_ND.shape[1])
        sum_KD = sum_KD.index_add(0, prefix_N, embedding_ND)
        # torch.bincount would wait for a GPU.
        count_K = torch.zeros_like(prefix_K).index_add(0, prefix_N, torch.ones_like(prefix_N))
        count_N = count_K[prefix_N] - 1
        similar_N = (embedding_ND * (sum_KD[prefix_N] - embedding_ND)).sum(dim=1) / temperature
        loss_N = log_sum_N - similar_N / count_N.clamp(min=1)
        total = total + level * torch.where(count_N > 0, loss_N, 0.0).sum()
    return total / (levels * (levels + 1) / 2) / len(label_N)


def _log_sums(embedding_ND: Tensor, temperature: float) -> Tensor:
    """The definition of `shared_log_sums`, of which autograd gives all gradients."""
    similarity_NN = embedding_ND @ embedding_ND.T / temperature
    itself_NN = torch.eye(len(embedding_ND), dtype=torch.bool, device=embedding_ND.device)
    # A large number, not infinity, whose softmax has no gradient where an embedding is alone.
    others_NN = similarity_NN.masked_fill(itself_NN, torch.finfo(similarity_NN.dtype).min)
    return others_NN.logsumexp(dim=1)
