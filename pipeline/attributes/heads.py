"""Heads: what predicts a value of an attribute from the stored features, without scikit-learn.

Shape letters: N items, F features, V values, W rows of weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, issparse
from scipy.special import log_softmax, softmax

from pipeline.core.atomic import atomic_path
from pipeline.core.block import Block
from pipeline.core.errors import InputError
from pipeline.features.regression import fit_regression


class Head(NamedTuple):
    """A linear classifier of raw features."""

    fill_F: np.ndarray
    """[F] float32: the mean of training items, which stands for what an item lacks."""
    mean_F: np.ndarray
    """[F] float32 that is taken off; zeros where features are sparse."""
    scale_F: np.ndarray
    """[F] float32 that features are divided by."""
    coefficient_VF: np.ndarray
    """[V, F] float32."""
    intercept_V: np.ndarray
    """[V] float32."""
    temperature: np.ndarray
    """[1] float32 that logits are divided by."""

    def logits(self, features: Block) -> np.ndarray:
        """[N, V] logits of [N, F] features, of which NaN is what an item lacks.

        Raises:
            ValueError: The features are of another width.
        """
        if features.shape[1] != len(self.mean_F):
            raise ValueError(f"{features.shape[1]} features, the head takes {len(self.mean_F)}")
        weight_VF = self.coefficient_VF / self.scale_F
        shift_V = self.intercept_V - weight_VF @ self.mean_F
        if isinstance(features, csr_matrix):
            features = features.copy()
            lacks = np.isnan(features.data)
            features.data[lacks] = self.fill_F[features.indices[lacks]]
        else:
            features = np.where(np.isnan(features), self.fill_F, features)
        return np.asarray((features @ weight_VF.T + shift_V) / self.temperature)

    def probabilities(self, features: Block) -> np.ndarray:
        """[N, V] probabilities of the values; rows sum to 1."""
        return np.asarray(softmax(self.logits(features), axis=1))


def fit_head(features: Block, value_N: np.ndarray, num_values: int) -> Head:
    """Fit a head on training items.

    Args:
        features: [N, F]; NaN stands for what an item lacks.
        value_N: [N] numbers of the values, each of 0 .. V - 1 at least once.
        num_values: V; where it is 1 there is nothing to fit, and that value is certain.
    """
    F = features.shape[1]
    if num_values == 1:
        none_F = np.zeros(F, np.float32)
        one = np.ones(1, np.float32)
        return Head(none_F, none_F, none_F + 1, none_F[None], 0 * one, one)
    imputer, scaler, regression = (step for _, step in fit_regression(features, value_N).steps)
    coefficient_WF, intercept_W = regression.coef_, regression.intercept_
    if num_values == 2:  # one row of weights, of the second value
        coefficient_WF = np.concatenate([np.zeros_like(coefficient_WF), coefficient_WF])
        intercept_W = np.concatenate([np.zeros_like(intercept_W), intercept_W])
    mean_F = np.zeros(F) if scaler.mean_ is None or issparse(features) else scaler.mean_
    arrays = (imputer.statistics_, mean_F, scaler.scale_, coefficient_WF, intercept_W, np.ones(1))
    return Head(*(np.ascontiguousarray(array, dtype=np.float32) for array in arrays))


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


def write_heads(path: Path, heads: dict[str, Head]) -> None:
    """Write heads by name to a safetensors file.

    Raises:
        InputError: The folder cannot be written to.
    """
    arrays = {
        f"{name}/{part}": array
        for name, head in heads.items()
        for part, array in head._asdict().items()
    }
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(arrays))


def read_heads(path: Path) -> dict[str, Head]:
    """Read what `write_heads` wrote; nothing of it is run.

    Raises:
        InputError: The file is missing or damaged.
    """
    try:
        arrays = load(path.read_bytes())
        names = list(dict.fromkeys(key.rpartition("/")[0] for key in arrays))
        return {
            name: Head(**{part: arrays[f"{name}/{part}"] for part in Head._fields})
            for name in names
        }
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found; run huse attributes") from error
    except (OSError, SafetensorError, KeyError) as error:
        raise InputError(f"{path}: damaged ({error}); run huse attributes again") from error
