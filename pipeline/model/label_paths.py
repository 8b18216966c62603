"""Class paths out of labels, where every part of a path is a label (notebook A); needs no torch.

Shape letters: N items, K class paths, L labels.
"""

import numpy as np

SMALLEST_PROBABILITY = 1e-7


def path_probabilities(probability_NL: np.ndarray, membership_KL: np.ndarray) -> np.ndarray:
    """Share one item's probability among the class paths of the catalogue.

        p(path k) ~ product over its labels of p_l x product over all others of (1 - p_l)

    that is, the labels are taken as independent, every path was as likely to begin with, and the
    item has one of them.

    Args:
        probability_NL: [N, L] probability of each label.
        membership_KL: [K, L] float32, 1 where a path has a label, else 0.

    Returns:
        [N, K] float32, rows that sum to 1.
    """
    probability_NL = np.clip(
        probability_NL.astype(np.float64), SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY
    )
    # What all paths have in common, the product of all (1 - p_l), cancels.
    log_odds_NL = np.log(probability_NL) - np.log1p(-probability_NL)
    log_NK = log_odds_NL @ membership_KL.T.astype(np.float64)
    odds_NK = np.exp(log_NK - log_NK.max(axis=1, keepdims=True))
    return (odds_NK / odds_NK.sum(axis=1, keepdims=True)).astype(np.float32)
