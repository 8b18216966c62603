"""A head fitted on training items, chosen and calibrated on validation items.

Shape letters: N items, F features, V values, W rows of weights.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.sparse import issparse
from scipy.special import log_softmax

from pipeline.attributes.heads import Head
from pipeline.core.block import Block
from pipeline.features.regression import MOST_PASSES, fit_regression

STRENGTHS = (0.0001, 0.001, 0.01, 0.1, 1.0)
"""Of which validation items choose; see `fit_regression`. The greater, the longer a fit takes."""
USUAL_STRENGTH = 0.01
"""Where there are no validation items."""


class ChosenHead(NamedTuple):
    """The head under which validation items' values are likeliest."""

    head: Head
    strength: float
    ended: bool
    """Whether the solver came to an end within its passes."""


def choose_head(
    train: tuple[Block, np.ndarray], val: tuple[Block, np.ndarray], num_values: int
) -> ChosenHead:
    """Fit heads of rising strength, calibrated each, until validation items like one less.

    Args:
        train: [N, F] features and [N] numbers of values; see `fit_head`.
        val: The same of validation items; perhaps none.
        num_values: V.
    """
    if not len(val[1]) or num_values == 1:
        head, ended = fit_head(*train, num_values, USUAL_STRENGTH)
        return ChosenHead(head, USUAL_STRENGTH, ended)
    best, least = None, np.inf
    for strength in STRENGTHS:
        head, ended = fit_head(*train, num_values, strength)
        head = calibrated(head, *val)
        loss = _loss(head.logits(val[0]), val[1])
        if best is not None and loss > least:
            break
        best, least = ChosenHead(head, strength, ended), loss
    assert best is not None, "there are strengths"
    return best


def fit_head(
    features: Block, value_N: np.ndarray, num_values: int, strength: float
) -> tuple[Head, bool]:
    """Fit a head on training items.

    Args:
        features: [N, F]; NaN stands for what an item lacks.
        value_N: [N] numbers of the values, each of 0 .. V - 1 at least once.
        num_values: V; where it is 1 there is nothing to fit, and that value is certain.
        strength: See `fit_regression`.

    Returns:
        The head, and whether the solver came to an end within its passes.
    """
    F = features.shape[1]
    if num_values == 1:
        none_F = np.zeros(F, np.float32)
        one = np.ones(1, np.float32)
        return Head(none_F, none_F, none_F + 1, none_F[None], 0 * one, one), True
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # which is what is returned
        steps = fit_regression(features, value_N, strength).steps
    imputer, scaler, regression = (step for _, step in steps)
    coefficient_WF, intercept_W = regression.coef_, regression.intercept_
    if num_values == 2:  # one row of weights, of the second value
        coefficient_WF = np.concatenate([np.zeros_like(coefficient_WF), coefficient_WF])
        intercept_W = np.concatenate([np.zeros_like(intercept_W), intercept_W])
    mean_F = np.zeros(F) if scaler.mean_ is None or issparse(features) else scaler.mean_
    arrays = (imputer.statistics_, mean_F, scaler.scale_, coefficient_WF, intercept_W, np.ones(1))
    head = Head(*(np.ascontiguousarray(array, dtype=np.float32) for array in arrays))
    return head, bool(np.max(regression.n_iter_) < MOST_PASSES)


def calibrated(head: Head, features: Block, value_N: np.ndarray) -> Head:
    """Give a head the temperature, 1/100 .. 100, that makes validation items' values most likely.

    Without items it stays as it is.
    """
    if not len(value_N) or len(head.intercept_V) == 1:
        return head
    logit_NV = head.logits(features)
    found = minimize_scalar(
        lambda log10: _loss(logit_NV / 10**log10, value_N), bounds=(-2.0, 2.0), method="bounded"
    )
    return head._replace(temperature=head.temperature * np.float32(10**found.x))


def _loss(logit_NV: np.ndarray, value_N: np.ndarray) -> float:
    """Mean of what is lost on N items: -log of the probability that each one's value is given.

    Of a few items that are all named rightly nothing would be too sure; so each counts as 1 in
    N + 2 of any value, as Platt (1999) has it.
    """
    said_NV = log_softmax(logit_NV.astype(np.float64), axis=1)
    N = len(value_N)
    own_N, any_N = said_NV[np.arange(N), value_N], said_NV.mean(axis=1)
    return -float(np.mean(own_N * (N + 1) + any_N) / (N + 2))
