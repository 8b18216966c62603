"""From the probabilities of an item's classes to one node of the class tree.

Shape letters: N items, K classes, J nodes.
"""

from typing import get_args

import numpy as np

from pipeline.decide.settings import Rule
from pipeline.features.class_tree import ClassTree


def decide(tree: ClassTree, probability_NK: np.ndarray, rule: Rule, *, beta: float) -> np.ndarray:
    """Choose a node for every item.

    - `probable`: the most probable class, which is right most often.
    - `least_cost`: the class of least expected distance from the true one, in edges of the tree
      (conditional risk minimisation: Duda and Hart 1973; Karthik et al. 2021, arXiv 2104.00795).
    - `hf_beta`: the node, a class or one above, of greatest expected hierarchical F-beta, which
      compares the nodes above the answer with those above the truth (Kiritchenko et al. 2006;
      decoding as in Plaud et al. 2025, arXiv 2506.01552).

    Args:
        tree: The class tree.
        probability_NK: [N, K] calibrated probabilities; rows sum to 1.
        rule: One of the above.
        beta: Of `hf_beta`.

    Returns:
        [N] int64 nodes of the tree, never the whole of it. Time grows with nodes times levels.

    Raises:
        ValueError: The rule is unknown, or beta is not above 0.
    """
    if rule not in get_args(Rule) or not beta > 0:
        raise ValueError(
            f"a rule of {', '.join(get_args(Rule))} and beta above 0, not {rule} and {beta}"
        )
    if rule == "probable":
        return tree.class_node_K[probability_NK.argmax(axis=1)]
    if rule == "least_cost":
        return tree.class_node_K[_expected_distance(tree, probability_NK).argmin(axis=1)]
    return _expected_f(tree, probability_NK, beta)[:, 1:].argmax(axis=1) + 1


def _expected_distance(tree: ClassTree, probability_NK: np.ndarray) -> np.ndarray:
    """[N, K] expected edges between each class and the true one, less what all have in common.

        distance(k, y) = depth(k) + depth(y) - 2 nodes above both

    and the expected number of the nodes above both is the sum of the probabilities of the nodes
    above k.
    """
    shared_NJ = tree.sum_along_paths(tree.node_probabilities(probability_NK))
    return tree.depth_K - 2 * shared_NJ[:, tree.class_node_K]


def _expected_f(tree: ClassTree, probability_NK: np.ndarray, beta: float) -> np.ndarray:
    """[N, J] expected hierarchical F-beta of each node.

        F(j, y) = (1 + beta^2) nodes above both / (beta^2 depth(y) + depth(j))

    Classes of one depth have one denominator, so they are summed together.
    """
    expected_NJ = np.zeros((len(probability_NK), len(tree.depth_J)), dtype=np.float32)
    for depth in np.unique(tree.depth_K):
        of_depth_NK = np.where(tree.depth_K == depth, probability_NK, 0)
        shared_NJ = tree.sum_along_paths(tree.node_probabilities(of_depth_NK))
        expected_NJ += (1 + beta**2) * shared_NJ / (beta**2 * depth + tree.depth_J)
    return expected_NJ
