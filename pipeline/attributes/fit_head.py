"""A head fitted on training items, and its probabilities calibrated on validation items.

Shape letters: N items, F features, V values, W rows of weights.
"""

from __future__ import annotations

import warnings

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.sparse import issparse
from scipy.special import log_softmax

from pipeline.attributes.heads import Head
from pipeline.core.block import Block
from pipeline.features.regression import MOST_PASSES, fit_regression


def fit_head(features: Block, value_N: np.ndarray, num_values: int) -> tuple[Head, bool]:
    """Fit a head on training items.

    Args:
        features: [N, F]; NaN stands for what an item lacks.
        value_N: [N] numbers of the values, each of 0 .. V - 1 at least once.
        num_values: V; where it is 1 there is nothing to fit, and that value is certain.

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
        steps = fit_regression(features, value_N).steps
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
    logit_NV = head.logits(features).astype(np.float64)

    def loss(log10: float) -> float:
        said_NV = log_softmax(logit_NV / 10**log10, axis=1)
        return -float(said_NV[np.arange(len(value_N)), value_N].mean())

    found = 10 ** minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x
    return head._replace(temperature=head.temperature * np.float32(found))
