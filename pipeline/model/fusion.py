"""From logits to probabilities: temperatures, and one prediction from two (HUSE section 2).

Shape letters: N items, B items of a block, K classes or labels; L labels where both occur.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pipeline.model.towers import TowersOutput

FACTOR_BOUNDS = (1e-3, 100.0)
"""Of a modality's calibrated logits in their weighted sum."""
BLOCK_LOGITS = 2**20
"""Logits of a modality that are in float64 at a time: 8 MiB."""


@dataclass(frozen=True)
class Fusion:
    """How sure each prediction is allowed to be, and how much each modality counts.

    The paper averages the plain softmax outputs with a weight (`late`). An over-confident modality
    then outvotes a better one, so each modality's logits are first divided by its own temperature.

    `product` averages the logits instead, a weighted geometric mean of the probabilities: a class
    that one modality rules out stays ruled out, and classes between which one cannot decide are
    decided by the other. An average cannot do that: beside a text that is right nineteen times in
    twenty, the most likely weight of a weaker image is about zero.
    """

    image_weight: float
    """Weight of the image's probabilities (late) or logits (product); the text has the rest."""
    image_temperature: float
    text_temperature: float
    fused_temperature: float
    """Of the averaged logits (product), or of the one prediction from both (concat); 1 (late)."""
    rule: str = "late"
    """`late`, `product` or `concat`."""
    multi_label: bool = False
    """Whether an item has several labels, each with a probability of its own."""

    def probabilities(self, output: TowersOutput) -> dict[str, Tensor]:
        """Calibrated class probabilities, [N, K] by modality: image, text and fused.

        Rows sum to 1 unless items have several labels. Of an item that lacks a modality the fused
        ones are those of the other; its row of the modality itself says nothing of it.
        """
        found = self._of_all(output)
        if output.present is not None:
            for modality, other_N in (
                ("image", output.present.text_N),
                ("text", output.present.image_N),
            ):
                found["fused"][~other_N] = found[modality][~other_N]
        return found

    def _of_all(self, output: TowersOutput) -> dict[str, Tensor]:
        """As if all items had both."""
        image_NK = _probability(output.image_logits_BK / self.image_temperature, self.multi_label)
        text_NK = _probability(output.text_logits_BK / self.text_temperature, self.multi_label)
        weight = self.image_weight
        if self.rule == "late":
            fused_NK = weight * image_NK + (1 - weight) * text_NK
            return {"image": image_NK, "text": text_NK, "fused": fused_NK}
        fused_logits_NK = output.fused_logits_BK
        if fused_logits_NK is None:
            fused_logits_NK = weight * output.image_logits_BK / self.image_temperature
            fused_logits_NK += (1 - weight) * output.text_logits_BK / self.text_temperature
        fused_NK = _probability(fused_logits_NK / self.fused_temperature, self.multi_label)
        return {"image": image_NK, "text": text_NK, "fused": fused_NK}


def fit_fusion(output: TowersOutput, target: Tensor, rule: str) -> Fusion:
    """Fit the temperatures, then the weight, by the likelihood of what validation items are.

    The likelihood is a sum over items: it is added up in float64, block by block, so that beside
    the logits as given little memory is needed.

    Args:
        output: Forward pass of N validation items.
        target: [N] int64 true classes; or, where items have several labels, [N, K] float, 1 for
            the item's labels and 0 for others.
        rule: `late`, `product` or `concat`; see `Fusion`.

    Returns:
        The fitted fusion; deterministic. Where no item has both, the modalities count equally.
    """
    logits = output.image_logits_BK, output.text_logits_BK
    fused_logits_NK = output.fused_logits_BK
    if output.present is None:
        temperatures = _fit_temperature(logits[0], target), _fit_temperature(logits[1], target)
    else:
        has_image_N, has_text_N = output.present
        both_N = output.present.both_N
        temperatures = (
            _fit_temperature(logits[0][has_image_N], target[has_image_N]),
            _fit_temperature(logits[1][has_text_N], target[has_text_N]),
        )
        # How both go together, items with both tell.
        logits, target = (logits[0][both_N], logits[1][both_N]), target[both_N]
        fused_logits_NK = None if fused_logits_NK is None else fused_logits_NK[both_N]
    weight, fused_temperature = 0.5, 1.0
    if len(target) == 0:
        pass
    elif fused_logits_NK is not None:
        fused_temperature = _fit_temperature(fused_logits_NK, target)
    elif rule == "product":
        weight, fused_temperature = _fit_product(logits, temperatures, target)
    else:
        weight = _fit_average(logits, temperatures, target)
    return Fusion(weight, *temperatures, fused_temperature, rule, multi_label=target.dim() == 2)


def _probability(logits_NK: Tensor, multi_label: bool) -> Tensor:
    return logits_NK.sigmoid() if multi_label else logits_NK.softmax(dim=1)


def _fit_temperature(logits_NK: Tensor, target: Tensor) -> float:
    """Temperature in 1/100 .. 100 that makes the targets most likely; 1 without any."""
    if len(target) == 0:
        return 1.0

    def loss(log10: float) -> float:
        temperature = 10**log10
        losses = (
            _negative_log_likelihood(logits_BK.double() / temperature, wanted).item()
            for logits_BK, wanted in _blocks(logits_NK, target)
        )
        return sum(losses) / target.numel()

    return 10 ** _minimise(loss, -2.0, 2.0)


def _fit_average(
    logits: tuple[Tensor, Tensor], temperatures: tuple[float, float], target: Tensor
) -> float:
    """Weight of the image's probabilities that makes the targets most likely."""
    image, text = (
        _probability_of(*pair, target) for pair in zip(logits, temperatures, strict=True)
    )

    def loss(weight: float) -> float:
        parts = (weight * one + (1 - weight) * other for one, other in _blocks(image, text))
        return -sum(part.clamp_min(1e-30).log().sum().item() for part in parts) / target.numel()

    return _minimise(loss, 0.0, 1.0)


def _fit_product(
    logits: tuple[Tensor, Tensor], temperatures: tuple[float, float], target: Tensor
) -> tuple[float, float]:
    """Weight and temperature that make the targets most likely.

    The likelihood is concave in the two factors of the logits, so any start leads to the optimum.
    """
    # A model that is only used need not wait for this import.
    from scipy.optimize import minimize

    result = minimize(
        lambda factors: product_loss(factors, logits, temperatures, target),
        [0.5, 0.5],
        jac=True,
        method="L-BFGS-B",
        bounds=[FACTOR_BOUNDS] * 2,
    )
    image_factor, text_factor = result.x.tolist()
    total = image_factor + text_factor
    return image_factor / total, 1 / total


def product_loss(
    factors: np.ndarray,
    logits: tuple[Tensor, Tensor],
    temperatures: tuple[float, float],
    target: Tensor,
) -> tuple[float, np.ndarray]:
    """Mean negative log likelihood of a product, and its [2] gradient, both in float64.

    Args:
        factors: [2] of the image's and the text's calibrated logits in their sum.
        logits: [N, K] of the image and of the text, as the classifier gives them.
        temperatures: What they are divided by.
        target: [N] or [N, K]; see `fit_fusion`.
    """
    total, gradient = 0.0, np.zeros(2)
    for image_BK, text_BK, wanted in _blocks(*logits, target):
        calibrated = (image_BK.double() / temperatures[0], text_BK.double() / temperatures[1])
        factor = torch.tensor(factors, dtype=torch.float64, requires_grad=True)
        with torch.enable_grad():
            loss = _negative_log_likelihood(
                factor[0] * calibrated[0] + factor[1] * calibrated[1], wanted
            )
        gradient += torch.autograd.grad(loss, factor)[0].numpy()
        total += loss.item()
    return total / target.numel(), gradient / target.numel()


def _negative_log_likelihood(logits_BK: Tensor, target: Tensor) -> Tensor:
    """Sum over items and, where these have several, over labels."""
    if target.dim() == 1:
        return functional.cross_entropy(logits_BK, target, reduction="sum")
    return functional.binary_cross_entropy_with_logits(logits_BK, target.double(), reduction="sum")


def _probability_of(logits_NK: Tensor, temperature: float, target: Tensor) -> Tensor:
    """[N] probability of the true class; [N, K] of each label being as it is."""
    parts = []
    for logits_BK, wanted in _blocks(logits_NK, target):
        logits_BK = logits_BK.double() / temperature
        if target.dim() == 1:
            parts.append(logits_BK.softmax(dim=1).gather(1, wanted[:, None])[:, 0])
        else:
            parts.append(torch.where(wanted > 0, logits_BK, -logits_BK).sigmoid())
    return torch.cat(parts)


def _blocks(*tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """The same rows of all tensors at a time, of which the first gives the size of a row."""
    rows = max(1, BLOCK_LOGITS // tensors[0][0].numel())
    yield from zip(*(tensor.split(rows) for tensor in tensors), strict=True)


def _minimise(function: Callable[[float], float], low: float, high: float) -> float:
    from scipy.optimize import minimize_scalar

    result = minimize_scalar(function, bounds=(low, high), method="bounded")
    return float(result.x)
