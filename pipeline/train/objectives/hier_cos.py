"""Hier-COS: every node of the class tree has an axis, a class the axes of its path.

Shape letters: N embeddings (both modalities together), M nodes of the tree and thus dimensions,
K classes, L levels, D nodes of one depth.
"""

from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from pipeline.core.section import Section
from pipeline.model.towers import TowersOutput
from pipeline.train.loss_settings import Weight
from pipeline.train.losses.labels import check_labels_on_cpu
from pipeline.train.losses.present import embeddings, gap_of_pairs
from pipeline.train.objective import Objective, Parts


class Settings(Section):
    """Section `loss.hier_cos`."""

    scale: Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
    """Multiplies the unit-norm embedding; the original leaves the norm to the network."""
    level_weight: Weight
    """Weight of the loss per level, the original's alpha."""
    signed: bool
    """Whether only the positive half of an axis is its node's; the original takes both."""


class HierCosObjective(Objective):
    """Hier-COS (Sani and Anand, arXiv 2503.07853), one space for both modalities.

    The gap loss is not theirs, who have one modality; as with HUSE its weight is gamma. Their
    prediction is the class with the longest projection, which is no linear layer: a probe reports
    the accuracy, and `experiments/paper_tables` measures theirs.
    """

    classifier = "probe"
    projects = True
    own: Settings

    def __init__(self, *given: Any, **named: Any) -> None:
        """See `Objective`; the tree is the class paths'."""
        super().__init__(*given, **named)
        self.depth_KM = tree_nodes(self.level_KL.cpu()).to(self.level_KL.device)

    @property
    def fixed_dim(self) -> int:
        """One dimension per node."""
        return self.depth_KM.shape[1]

    def parts(self, output: TowersOutput, label_B: Tensor) -> Parts:
        """See `Objective.parts`; `class` trains the probe and nothing else."""
        embedding_NM, label_N = embeddings(output, label_B)
        own = self.own.model_dump()
        return {
            "class": (1.0, lambda: self.class_loss(output, label_B)),
            "subspace": (1.0, lambda: hier_cos_loss(embedding_NM, label_N, self.depth_KM, **own)),
            "gap": (self.loss.gamma, lambda: gap_of_pairs(output, label_B)),
        }


def tree_nodes(level_KL: Tensor) -> Tensor:
    """Nodes of the tree, from the prefixes that classes share.

    A node is a set of classes; nodes in a row without a branch are one. A class that is the parent
    of others has a leaf of its own besides, as only leaves are classes in the original.

    Args:
        level_KL: [K, L] int64; see `class_levels`.

    Returns:
        [K, M] int64: the depth (1 is the coarsest) of each node on a class's path, 0 of others.
    """
    number: dict[tuple[int, ...], int] = {}
    path_of: list[list[int]] = []
    columns = level_KL.T.tolist()
    members: list[dict[int, list[int]]] = []
    for column in columns:
        members.append({})
        for row, prefix in enumerate(column):
            members[-1].setdefault(prefix, []).append(row)
    for row in range(len(level_KL)):
        sets = [tuple(here[column[row]]) for here, column in zip(members, columns, strict=True)]
        path_of.append([number.setdefault(one, len(number)) for one in dict.fromkeys(sets)])
    depth_KM = torch.zeros(len(level_KL), len(number), dtype=torch.int64)
    for row, path in enumerate(path_of):
        depth_KM[row, path] = torch.arange(1, len(path) + 1)
    return depth_KM


def target_shares(depth_KM: Tensor) -> Tensor:
    """Share of each node in a class's target, [K, M] float: a path's shares sum to 1.

    With n nodes on the path, that at depth i has exp(1 / (n + 1 - i)), squared and normalised: the
    class itself has most.
    """
    length_K1 = depth_KM.amax(dim=1, keepdim=True)
    raw_KM = (2.0 / (length_K1 + 1 - depth_KM)).exp() * (depth_KM > 0)
    return raw_KM / raw_KM.sum(dim=1, keepdim=True)


def hier_cos_loss(
    embedding_NM: Tensor,
    label_N: Tensor,
    depth_KM: Tensor,
    *,
    scale: float,
    level_weight: float,
    signed: bool,
) -> Tensor:
    """Distribution over the axes like the path's, and at every depth on one axis alone.

        L = mean_n KL(target of y_n || softmax(|x_n|)) + level_weight * sum_l L_l
        L_l = mean over n with a node at depth l of || onehot - |x_nl| / norm(x_nl) ||_1
              + mean over the others of || x_nl ||_1

    with x_nl the coordinates of the nodes at depth l. This follows the authors' published code
    (their level_weight is 0.05 on CIFAR-100, 0.1 on Aircraft, 1e-5 on tieredImageNet); the
    equations of the paper could not be compared. Like theirs the axes are those of the embedding.
    Theirs are not of unit norm: here x is scale times the embedding.

    Args:
        embedding_NM: [N, M] float, rows of unit norm.
        label_N: [N] int64 in [0, K); on the CPU they are checked.
        depth_KM: [K, M] what `tree_nodes` gives.
        scale: Multiplies the embedding.
        level_weight: Weight of the losses per depth.
        signed: Take max(x, 0) per depth and x in the softmax for |x|. With |x| two items of one
            class may lie at opposite ends of an axis, where a cosine calls them far.

    Returns:
        Scalar >= 0.
    """
    check_labels_on_cpu(label_N, len(depth_KM))
    x_NM = scale * embedding_NM
    share_NM = target_shares(depth_KM)[label_N].to(x_NM.dtype)
    log_NM = functional.log_softmax(x_NM if signed else x_NM.abs(), dim=1)
    loss = functional.kl_div(log_NM, share_NM, reduction="batchmean")
    if level_weight == 0:
        return loss
    size_NM = x_NM.clamp(min=0) if signed else x_NM.abs()
    depth_M = depth_KM.amax(dim=0)
    for depth in range(1, int(depth_M.max()) + 1):
        size_ND = size_NM[:, depth_M == depth]
        own_ND = (depth_KM[:, depth_M == depth] > 0)[label_N].to(size_ND.dtype)
        has_N = own_ND.any(dim=1)
        norm_N1 = size_ND.norm(dim=1, keepdim=True).clamp(min=1e-12)
        off_N = (own_ND - size_ND / norm_N1).abs().sum(dim=1)
        loss = loss + level_weight * (off_N * has_N).sum() / has_N.sum().clamp(min=1)
        loss = loss + level_weight * (size_ND.sum(dim=1) * ~has_N).sum() / (~has_N).sum().clamp(
            min=1
        )
    return loss
