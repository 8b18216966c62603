"""A linear classifier on stored features, fitted in mini-batches.

It is what judges items out of fold. Networks with a hidden layer beside the linear path found one
moved label in a hundred more on fashion products and none on the sample, for four times the work.

Shape letters: M items fitted on, F features, K classes, B items of a batch.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from pipeline.core.take_step import spare_the_compiler, take_step

SMALLEST_BATCH, LARGEST_BATCH = 256, 1024
"""A larger one takes the same time per item for its products, and fewer updates of all weights."""
PASSES = 10
"""Over the items fitted on."""
FEWEST_STEPS = 600
"""As many as the weights need to get to where they belong, at this rate."""
LEARNING_RATE = 1e-3
"""At the start; it falls to zero along a cosine. Features have unit variance."""
MANY_FEATURES = 300
"""The fewer there are, the further each weight has to go: below this the rate is higher."""
WEIGHT_DECAY = 0.05
LEAST_SPREAD = 1e-6
"""Features that vary less are constant, and stay as they are."""


class Probe(NamedTuple):
    """Logits are feature_F @ weight_FK + bias_K, of features as they are stored."""

    weight_FK: np.ndarray
    bias_K: np.ndarray


def fit_probe(feature_MF: np.ndarray, label_M: np.ndarray, num_classes: int, seed: int) -> Probe:
    """Fit a softmax regression on standardised features.

    Args:
        feature_MF: [M, F] float32.
        label_M: [M] int64 in 0..K-1; a class may have no item.
        num_classes: K.
        seed: Of the order of the items.

    Returns:
        The regression on features as given, standardisation included; its logits' softmax is the
        probability of each class among the items fitted on.
    """
    mean_F, scale_F = spread(feature_MF)
    standard_MF = torch.from_numpy((feature_MF - mean_F) / scale_F)
    label = torch.from_numpy(label_M)
    share_K = (torch.bincount(label, minlength=num_classes) + 0.5) / len(label)
    weight_FK = torch.zeros(feature_MF.shape[1], num_classes, requires_grad=True)
    bias_K = share_K.log().requires_grad_()
    batch = min(max(SMALLEST_BATCH, PASSES * len(label) // FEWEST_STEPS), LARGEST_BATCH)
    steps = max(FEWEST_STEPS, PASSES * len(label) // batch)
    groups: list[dict[str, Any]] = [
        {"params": [weight_FK], "weight_decay": WEIGHT_DECAY},
        {"params": [bias_K], "weight_decay": 0.0},
    ]
    spare_the_compiler()
    optimizer = torch.optim.AdamW(groups, fused=True)  # one kernel updates all weights
    rate = LEARNING_RATE * max(1.0, MANY_FEATURES / feature_MF.shape[1])
    generator = torch.Generator().manual_seed(seed)
    order, at = torch.randperm(len(label), generator=generator), 0
    for step in range(steps):
        for group in groups:
            group["lr"] = rate * 0.5 * (1 + math.cos(math.pi * step / steps))
        if at >= len(label):
            order, at = torch.randperm(len(label), generator=generator), 0
        chosen_B = order[at : at + batch]
        at += batch
        logits_BK = torch.addmm(bias_K, standard_MF[chosen_B], weight_FK)
        optimizer.zero_grad()
        cross_entropy(logits_BK, label[chosen_B]).backward()
        take_step(optimizer)
    plain_FK = weight_FK.detach().numpy() / scale_F[:, None]
    return Probe(plain_FK, bias_K.detach().numpy() - mean_F @ plain_FK)


def spread(feature_MF: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation, [F] float32 each; 1 for a feature that is constant."""
    mean_F, scale_F = feature_MF.mean(axis=0), feature_MF.std(axis=0)
    return mean_F, np.where(scale_F < LEAST_SPREAD, np.float32(1), scale_F)
