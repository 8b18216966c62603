"""Hier-COS's own prediction: the class with the longest projection.

Shape letters: N items, M nodes of the class tree, K classes.
"""

from torch import Tensor


def longest_projection(embedding_NM: Tensor, depth_KM: Tensor, *, signed: bool) -> Tensor:
    """Class on the axes of whose path an embedding is longest (arXiv 2503.07853).

    A probe, which is what the pipeline trains for objectives without a classifier, is linear and
    cannot say this; Hier-COS would look worse by it than it is.

    Args:
        embedding_NM: [N, M] float.
        depth_KM: [K, M] int64, above 0 where a node is on a class's path; see `tree_nodes`.
        signed: Whether only the positive half of an axis is its node's.

    Returns:
        [N] int64 classes; of equally long ones the first.
    """
    size_NM = embedding_NM.clamp(min=0) if signed else embedding_NM
    on_path_KM = (depth_KM > 0).to(embedding_NM.dtype)
    return (size_NM.square() @ on_path_KM.T).argmax(dim=1)
