"""Late fusion: a weighted average of the two modalities' softmax outputs (HUSE section 2).

Shape letters: N items, K classes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Fusion:
    """How sure each modality is allowed to be, and how much it counts.

    The paper averages the plain softmax outputs with a weight. An over-confident modality then
    outvotes a better one, so each modality's logits are first divided by its own temperature.
    """

    image_weight: float
    """Weight of the image's probabilities; the text has the rest."""
    image_temperature: float
    text_temperature: float

    def image_probabilities(self, logits_NK: Tensor) -> Tensor:
        """Calibrated class probabilities from the image.

        Args:
            logits_NK: [N, K] image logits.

        Returns:
            [N, K], rows sum to 1.
        """
        return (logits_NK / self.image_temperature).softmax(dim=1)

    def text_probabilities(self, logits_NK: Tensor) -> Tensor:
        """Calibrated class probabilities from the text.

        Args:
            logits_NK: [N, K] text logits.

        Returns:
            [N, K], rows sum to 1.
        """
        return (logits_NK / self.text_temperature).softmax(dim=1)

    def fused_probabilities(self, image_logits_NK: Tensor, text_logits_NK: Tensor) -> Tensor:
        """Class probabilities from both.

        Args:
            image_logits_NK: [N, K] image logits.
            text_logits_NK: [N, K] text logits.

        Returns:
            [N, K], rows sum to 1.
        """
        return self.image_weight * self.image_probabilities(image_logits_NK) + (
            1 - self.image_weight
        ) * self.text_probabilities(text_logits_NK)


def fit_fusion(image_logits_NK: Tensor, text_logits_NK: Tensor, label_N: Tensor) -> Fusion:
    """Fit both temperatures, then the weight, by the likelihood of validation labels.

    Args:
        image_logits_NK: [N, K] image logits of validation items.
        text_logits_NK: [N, K] their text logits.
        label_N: [N] int64 true classes.

    Returns:
        The fitted fusion; deterministic.
    """
    image_temperature = _fit_temperature(image_logits_NK, label_N)
    text_temperature = _fit_temperature(text_logits_NK, label_N)
    image_N = _probability_of(image_logits_NK / image_temperature, label_N)
    text_N = _probability_of(text_logits_NK / text_temperature, label_N)

    def negative_log_likelihood(weight: float) -> float:
        mixed_N = weight * image_N + (1 - weight) * text_N
        return -mixed_N.clamp_min(1e-30).log().mean().item()

    weight = _minimise(negative_log_likelihood, 0.0, 1.0)
    return Fusion(weight, image_temperature, text_temperature)


def _fit_temperature(logits_NK: Tensor, label_N: Tensor) -> float:
    """Temperature in 1/100 .. 100 that makes the labels most likely."""
    logits_NK = logits_NK.double()
    log_temperature = _minimise(
        lambda log10: functional.cross_entropy(logits_NK / 10**log10, label_N).item(), -2.0, 2.0
    )
    return 10**log_temperature


def _probability_of(logits_NK: Tensor, label_N: Tensor) -> Tensor:
    return logits_NK.double().softmax(dim=1)[torch.arange(len(label_N)), label_N]


def _minimise(function: Callable[[float], float], low: float, high: float) -> float:
    result = minimize_scalar(function, bounds=(low, high), method="bounded")
    return float(result.x)
