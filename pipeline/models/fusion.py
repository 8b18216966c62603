"""From logits to probabilities: temperatures and the weight of late fusion (HUSE section 2).

Shape letters: N items, K classes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.models.huse import HuseOutput


@dataclass(frozen=True)
class Fusion:
    """How sure each prediction is allowed to be, and how much each modality counts.

    The paper averages the plain softmax outputs with a weight. An over-confident modality then
    outvotes a better one, so each modality's logits are first divided by its own temperature.
    """

    image_weight: float
    """Late fusion: weight of the image's probabilities; the text has the rest."""
    image_temperature: float
    text_temperature: float
    fused_temperature: float
    """Concatenation: temperature of the one prediction from both; 1 with late fusion."""

    def probabilities(self, output: HuseOutput) -> dict[str, Tensor]:
        """Calibrated class probabilities.

        Args:
            output: Forward pass of N items.

        Returns:
            [N, K] with rows that sum to 1, for `image`, `text` and `fused`.
        """
        image_NK = (output.image_logits_BK / self.image_temperature).softmax(dim=1)
        text_NK = (output.text_logits_BK / self.text_temperature).softmax(dim=1)
        if output.fused_logits_BK is not None:
            fused_NK = (output.fused_logits_BK / self.fused_temperature).softmax(dim=1)
        else:
            fused_NK = self.image_weight * image_NK + (1 - self.image_weight) * text_NK
        return {"image": image_NK, "text": text_NK, "fused": fused_NK}


def fit_fusion(output: HuseOutput, label_N: Tensor) -> Fusion:
    """Fit the temperatures, then the weight, by the likelihood of validation labels.

    Args:
        output: Forward pass of N validation items.
        label_N: [N] int64 true classes.

    Returns:
        The fitted fusion; deterministic.
    """
    image_temperature = _fit_temperature(output.image_logits_BK, label_N)
    text_temperature = _fit_temperature(output.text_logits_BK, label_N)
    if output.fused_logits_BK is not None:
        fused_temperature = _fit_temperature(output.fused_logits_BK, label_N)
        return Fusion(0.5, image_temperature, text_temperature, fused_temperature)
    image_N = _probability_of(output.image_logits_BK / image_temperature, label_N)
    text_N = _probability_of(output.text_logits_BK / text_temperature, label_N)

    def negative_log_likelihood(weight: float) -> float:
        mixed_N = weight * image_N + (1 - weight) * text_N
        return -mixed_N.clamp_min(1e-30).log().mean().item()

    weight = _minimise(negative_log_likelihood, 0.0, 1.0)
    return Fusion(weight, image_temperature, text_temperature, 1.0)


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
    # A model that is only used need not wait for this import.
    from scipy.optimize import minimize_scalar

    result = minimize_scalar(function, bounds=(low, high), method="bounded")
    return float(result.x)
