"""Supervised contrastive loss over the levels of the class path.

Shape letters: N embeddings, D embedding, K classes, L levels.
"""

import torch
from torch import Tensor


def path_contrast_loss(
    embedding_ND: Tensor, label_N: Tensor, level_KL: Tensor, *, temperature: float
) -> Tensor:
    """Mean contrastive loss of every embedding at every level of the class tree.

        loss[a, l] = log sum_{b != a} exp(s_ab / t) - mean_{p in P(a, l)} s_ap / t
        L_contrast = sum_l l * mean_a loss[a, l] / sum_l l,   l = 1 .. L

    with cosine similarities s and P(a, l) the other embeddings that are under a's node of level l,
    of both modalities. The finer a level, the more it counts; the finest is the class. An embedding
    without any such other adds nothing. It orders *all* pairs, where HUSE's graph loss leaves those
    beyond the margin alone (eq. 10).

    The loss of a level is the supervised contrastive one (Khosla et al. 2020, eq. 2); to sum it
    over the levels of a tree, finer ones with more weight, follows Zhang et al. 2022, "Use all the
    labels" (HiMulCon). Memory: N^2 floats, whatever the number of levels.

    Args:
        embedding_ND: [N, D] float, rows of unit norm.
        label_N: [N] int64 classes.
        level_KL: [K, L] int64 number in [0, K) of each class's node at each level, coarsest first;
            see `path_levels`.
        temperature: t, above 0.

    Returns:
        The scalar loss.
    """
    itself_NN = torch.eye(len(embedding_ND), dtype=torch.bool, device=embedding_ND.device)
    similarity_NN = embedding_ND @ embedding_ND.T / temperature
    # Large and finite: of an embedding alone, infinity would make gradients that are no numbers.
    log_sum_N = similarity_NN.masked_fill(itself_NN, -1e9).logsumexp(dim=1)
    levels = level_KL.shape[1]
    total = embedding_ND.new_zeros(())
    for level, node_K in enumerate(level_KL.T, start=1):
        node_N = node_K[label_N]
        # The mean similarity to a set is that to the set's sum: no N x N matrix a level.
        sum_KD = torch.zeros_like(embedding_ND[:1]).expand(len(node_K), -1)
        sum_KD = sum_KD.index_add(0, node_N, embedding_ND)
        others_N = torch.bincount(node_N, minlength=len(node_K))[node_N] - 1
        similar_N = (embedding_ND * (sum_KD[node_N] - embedding_ND)).sum(dim=1) / temperature
        loss_N = log_sum_N - similar_N / others_N.clamp(min=1)
        total = total + level * torch.where(others_N > 0, loss_N, 0.0).mean()
    return total / (levels * (levels + 1) / 2)
