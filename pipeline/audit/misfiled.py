"""The probability that an item is misfiled, learned from labels that are known to be wrong.

Every item is described twice: as what it is filed as, and as of a class that was drawn for it, a
decoy, which is wrong nearly always. Of the given labels a share r is wrong too; nobody knows which.
Let f1 be the density of the signals where the label is wrong, f0 where it is right. Then decoys
have the density f1 and given labels r f1 + (1 - r) f0: positive and unlabelled examples (Elkan and
Noto 2008). With f1 / f0 = exp(s), s linear in the signals, decoys of weight w have the odds

    w exp(s) / (r exp(s) + 1 - r)

against given labels, which can be no greater than w / r: where decoys and given labels are mixed
half and half among the worst, as many given labels are wrong. So r is fitted along with s, and

    P(misfiled) = sigmoid(s + logit r)

Shape letters: N items, S signals, P parameters.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit

DECOY_WEIGHT = 0.1
"""A decoy counts as much less than a given label, so that telling apart the worst given labels
matters more than telling apart what is plainly right; a tenth to a thirtieth do equally well."""
PENALTY = 1e-4
"""Of squared coefficients of standardised signals."""
MOST_ITEMS = 200_000
"""That are fitted on: some fifteen numbers follow from far fewer."""
FIRST_SHARE = 0.03
LEAST_LOGIT, GREATEST_LOGIT = -12.0, 0.0
"""Of the share of wrong labels: at most half."""
LEAST_SPREAD = 1e-9


class Misfiled(NamedTuple):
    """What `fit_misfiled` learned."""

    probability_N: np.ndarray
    """[N] float64: that the given label is wrong."""
    score_N: np.ndarray
    """[N] float64: its logit, which tells apart probabilities that round to 1."""
    share: float
    """Of wrong labels among the items, as fitted."""


def fit_misfiled(
    given_NS: np.ndarray, decoy_NS: np.ndarray, judged_N: np.ndarray, *, seed: int
) -> Misfiled:
    """Fit the mixture and judge all items.

    Args:
        given_NS: [N, S] signals of the items with their given classes.
        decoy_NS: [N, S] with the classes drawn for them.
        judged_N: [N] bool: the items to fit on, at least one.
        seed: Of the sample of these, where they are many.
    """
    chosen = np.flatnonzero(judged_N)
    if len(chosen) > MOST_ITEMS:
        chosen = np.random.default_rng(seed).choice(chosen, MOST_ITEMS, replace=False)
    given, decoy = given_NS[chosen], decoy_NS[chosen]
    both = np.concatenate([given, decoy])
    mean_S, scale_S = both.mean(axis=0), both.std(axis=0)
    scale_S[scale_S < LEAST_SPREAD] = 1.0
    start_P = np.zeros(len(mean_S) + 2)
    start_P[-1] = np.log(FIRST_SHARE / (1 - FIRST_SHARE))
    free = [(None, None)] * (len(mean_S) + 1)
    fitted_P = minimize(
        loss_and_gradient,
        start_P,
        args=((given - mean_S) / scale_S, (decoy - mean_S) / scale_S),
        jac=True,
        method="L-BFGS-B",
        bounds=[*free, (LEAST_LOGIT, GREATEST_LOGIT)],
    ).x
    weight_S, bias, logit = fitted_P[:-2], fitted_P[-2], fitted_P[-1]
    score_N = (given_NS - mean_S) / scale_S @ weight_S + bias + logit
    return Misfiled(expit(score_N), score_N, float(expit(logit)))


def loss_and_gradient(
    parameter_P: np.ndarray, given_NS: np.ndarray, decoy_NS: np.ndarray
) -> tuple[float, np.ndarray]:
    """Cross-entropy of telling decoys from given labels, and its gradient.

    Args:
        parameter_P: [S + 2] coefficients of the signals, the constant, and the logit of r.
        given_NS: [N, S] standardised signals.
        decoy_NS: [N, S] standardised signals.

    Returns:
        The loss per given label, and its [S + 2] gradient.
    """
    weight_S, bias, logit = parameter_P[:-2], parameter_P[-2], parameter_P[-1]
    loss, gradient_P = PENALTY * DECOY_WEIGHT * weight_S @ weight_S, np.zeros_like(parameter_P)
    gradient_P[:-2] = 2 * PENALTY * DECOY_WEIGHT * weight_S
    share = expit(logit)
    for signal_NS, sign, weight in ((given_NS, 1.0, 1.0), (decoy_NS, -1.0, DECOY_WEIGHT)):
        score_N = signal_NS @ weight_S + bias
        wrong_N = expit(score_N + logit)
        mixture_N = np.logaddexp(log_expit(-logit), log_expit(logit) + score_N)
        odds_N = np.log(DECOY_WEIGHT) + score_N - mixture_N
        loss -= weight * log_expit(-sign * odds_N).mean()
        slope_N = weight * sign * expit(sign * odds_N) / len(score_N)
        # d odds / d score = 1 - P(wrong); d odds / d logit = r - P(wrong).
        gradient_P[:-2] += (slope_N * (1 - wrong_N)) @ signal_NS
        gradient_P[-2] += slope_N @ (1 - wrong_N)
        gradient_P[-1] += slope_N @ (share - wrong_N)
    return loss, gradient_P
