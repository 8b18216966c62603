"""The probability that an item is misfiled, learned from labels that are known to be wrong.

Every item is described twice: as what it is filed as, and as of a class that was drawn for it, a
decoy, which is wrong nearly always. Of the given labels a share r is wrong too; nobody knows which.
Let f1 be the density of the signals where the label is wrong, f0 where it is right. Then decoys
have the density f1 and given labels r f1 + (1 - r) f0: positive and unlabelled examples (Elkan and
Noto 2008). With f1 / f0 = exp(s), s linear in the signals, decoys of weight w have the odds

    w c exp(s) / (r exp(s) + 1 - r)

against given labels, c decoys per given label. They can be no greater than w c / r: among the worst
labels, given ones are as frequent beside decoys as wrong ones are. So r is fitted along with s, and

    P(misfiled) = sigmoid(s + logit r)

How often people mistake a class for its sibling, and how often for something far away, is another
matter in every catalogue. So all this holds per stratum: the labels whose best other class is
equally far in the class tree have their own r, c and constant in s.

Shape letters: N items, M items fitted on, S signals, T strata, P parameters.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from pipeline.audit.signals import Described
from pipeline.core.sample import draw_sample

DECOY_WEIGHT = 0.1
"""A decoy counts as much less than a given label, so that telling apart the worst given labels
matters more than telling apart what is plainly right; a tenth to a thirtieth do equally well."""
PENALTY = 1e-4
"""Of squared coefficients of standardised signals, and constants."""
MOST_ITEMS = 200_000
"""That are fitted on: some fifteen numbers follow from far fewer."""
SMALLEST_STRATUM = 200
"""Given labels, and decoys, below which a stratum is one with the next."""
FIRST_SHARE = 0.03
LEAST_LOGIT, GREATEST_LOGIT = -12.0, 0.0
"""Of a share of wrong labels: at most half."""
MOST_STEPS = 1000
LEAST_SPREAD = 1e-9


class Misfiled(NamedTuple):
    """What `fit_misfiled` learned."""

    probability_N: np.ndarray
    """[N] float64: that the given label is wrong."""
    score_N: np.ndarray
    """[N] float64: its logit, which tells apart probabilities that round to 1."""
    share: float
    """Of wrong labels among the items fitted on, as fitted."""


class Labels(NamedTuple):
    """Given labels or decoys, as the loss takes them."""

    signal_MS: np.ndarray
    """[M, S] standardised."""
    stratum_M: np.ndarray
    """[M] int64 in 0..T-1."""


def fit_misfiled(
    given: Described, decoys: Described, judged_N: np.ndarray, *, seed: int
) -> Misfiled:
    """Fit the mixture and judge all items.

    Args:
        given: The N items with their given classes.
        decoys: The items with the classes drawn for them.
        judged_N: [N] bool: the items to fit on, at least one.
        seed: Of the sample of these, where they are many.
    """
    judged = np.flatnonzero(judged_N)
    chosen_M = judged[draw_sample(len(judged), MOST_ITEMS, seed)]
    both = np.concatenate([given.signal_NS[chosen_M], decoys.signal_NS[chosen_M]])
    mean_S, scale_S = both.mean(axis=0), both.std(axis=0)
    scale_S[scale_S < LEAST_SPREAD] = 1.0
    first_T = strata(given.distance_N[chosen_M], decoys.distance_N[chosen_M])

    def labels(of: Described, position: np.ndarray) -> Labels:
        stratum = np.searchsorted(first_T, of.distance_N[position], side="right") - 1
        return Labels((of.signal_NS[position] - mean_S) / scale_S, np.maximum(stratum, 0))

    some_given, some_decoys = labels(given, chosen_M), labels(decoys, chosen_M)
    num_signals, num_strata = len(mean_S), len(first_T)
    count_T = np.bincount(some_given.stratum_M, minlength=num_strata)
    start_T = np.full(num_strata, np.log(FIRST_SHARE / (1 - FIRST_SHARE)))
    fitted_P = minimize(
        loss_and_gradient,
        np.concatenate([np.zeros(num_signals + num_strata), start_T]),
        args=(some_given, some_decoys),
        jac=True,
        method="L-BFGS-B",
        bounds=[(None, None)] * (num_signals + num_strata)
        + [(LEAST_LOGIT, GREATEST_LOGIT)] * num_strata,
        options={"maxiter": MOST_STEPS},
    ).x
    weight_S, constant_T, logit_T = _take_apart(fitted_P, num_signals)
    every = labels(given, np.arange(len(judged_N)))
    score_N = every.signal_MS @ weight_S + (constant_T + logit_T)[every.stratum_M]
    share = float(expit(logit_T) @ count_T / count_T.sum())
    return Misfiled(expit(score_N), score_N, share)


def strata(given_M: np.ndarray, decoy_M: np.ndarray) -> np.ndarray:
    """Cut tree distances into ranges with enough given labels and decoys in each.

    Args:
        given_M: [M] int64 distances of the given labels.
        decoy_M: [M] int64 of the decoys.

    Returns:
        [T] int64: where each range begins, ascending; one range at least.
    """
    first: list[int] = []
    given_left, decoys_left = np.sort(given_M), np.sort(decoy_M)
    for distance in np.unique(np.concatenate([given_M, decoy_M])):
        below_given, below_decoys = (
            np.searchsorted(left, distance) for left in (given_left, decoys_left)
        )
        enough = min(below_given, below_decoys) >= SMALLEST_STRATUM
        rest = min(len(given_left) - below_given, len(decoys_left) - below_decoys)
        if not first or (enough and rest >= SMALLEST_STRATUM):
            first.append(int(distance))
            given_left, decoys_left = given_left[below_given:], decoys_left[below_decoys:]
    return np.array(first)


def loss_and_gradient(
    parameter_P: np.ndarray, given: Labels, decoys: Labels
) -> tuple[float, np.ndarray]:
    """Cross-entropy of telling decoys from given labels, and its gradient.

    Args:
        parameter_P: [S + 2 T] coefficients of the signals, the constants, and the logits of r.
        given: Given labels, some in every stratum.
        decoys: Decoys, some in every stratum.

    Returns:
        The loss per given label, and its [S + 2 T] gradient.
    """
    num_signals = given.signal_MS.shape[1]
    weight_S, constant_T, logit_T = _take_apart(parameter_P, num_signals)
    num_strata = len(logit_T)
    given_T, decoys_T = (
        np.bincount(labels.stratum_M, minlength=num_strata) / len(labels.stratum_M)
        for labels in (given, decoys)
    )
    log_weight_T = np.log(DECOY_WEIGHT * decoys_T / given_T)
    linear_P = np.concatenate([weight_S, constant_T])
    gradient_P = np.zeros_like(parameter_P)
    gradient_P[: len(linear_P)] = 2 * PENALTY * DECOY_WEIGHT * linear_P
    loss = PENALTY * DECOY_WEIGHT * linear_P @ linear_P
    for labels, sign, weight in ((given, 1.0, 1.0), (decoys, -1.0, DECOY_WEIGHT)):
        stratum_M = labels.stratum_M
        logit_M = logit_T[stratum_M]
        score_M = labels.signal_MS @ weight_S + constant_T[stratum_M]
        wrong_M = expit(score_M + logit_M)
        mixture_M = np.logaddexp(log_expit(-logit_M), log_expit(logit_M) + score_M)
        odds_M = log_weight_T[stratum_M] + score_M - mixture_M
        loss -= weight * log_expit(-sign * odds_M).mean()
        slope_M = weight * sign * expit(sign * odds_M) / len(score_M)
        # d odds / d score = 1 - P(wrong); d odds / d logit = r - P(wrong).
        by_score_M, by_logit_M = slope_M * (1 - wrong_M), slope_M * (expit(logit_M) - wrong_M)
        gradient_P[:num_signals] += by_score_M @ labels.signal_MS
        gradient_P[num_signals : len(linear_P)] += np.bincount(stratum_M, by_score_M, num_strata)
        gradient_P[len(linear_P) :] += np.bincount(stratum_M, by_logit_M, num_strata)
    return loss, gradient_P


def _take_apart(parameter_P: np.ndarray, num_signals: int) -> tuple[np.ndarray, ...]:
    """Coefficients of the signals, constants and logits of the strata."""
    num_strata = (len(parameter_P) - num_signals) // 2
    weight_S, constant_T, logit_T = np.split(parameter_P, [num_signals, num_signals + num_strata])
    return weight_S, constant_T, logit_T
